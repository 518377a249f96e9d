Made = type("Made", (list,), {"twice": lambda self: self * 2})
made = Made([1000, 2000])
print(made.twice(), Made.__name__, type(made) is Made)
del Made
print(made)
