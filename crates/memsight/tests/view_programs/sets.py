odd = {1001, 1003, 1005}
small = {1001, 1002}
print(sorted(odd | small), sorted(odd & small), sorted(odd - small), sorted(odd ^ small))
odd.add(1007)
odd.discard(1)
frozen = frozenset(odd)
print(len({frozen: "key"}), frozen >= {1001}, odd == frozen)
