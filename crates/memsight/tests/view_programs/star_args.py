def show(first, *rest, key=None, **others):
    return first, rest, key, others


def positional(a, b=2000, /, *, c):
    return a, b, c


numbers = [1000, 2000]
print(show(*numbers, 3000, key="k", extra=[1]))
print(positional(1, c=3), show(*"ab", **{"key": numbers}))
try:
    positional(a=1, c=2)
except TypeError as error:
    print("TypeError")
print([*numbers, *range(2)], {**{"a": 1}, "b": 2})
