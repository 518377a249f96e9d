def collect(item, into=[]):
    into.append(item)
    return into


first = collect("one")
second = collect("two")
print(first is second, second)
print(collect.__defaults__)
