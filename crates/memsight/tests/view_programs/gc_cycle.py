import gc


class Node:
    pass


gc.disable()
one, two = Node(), Node()
one.other, two.other = two, one
del one, two
print(gc.collect() >= 2)
gc.enable()
parent = Node()
parent.children = [Node() for _ in range(3)]
for child in parent.children:
    child.parent = parent
parent = child = None
print(gc.collect() >= 4)
