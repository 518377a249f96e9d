space = {"start": 1000}
exec("doubled = start * 2\ndef made(x):\n    return x + doubled", space)
print(space["doubled"], space["made"](5), eval("start + 1", space))
code = compile("[n for n in range(3)]", "<made>", "eval")
print(eval(code), sorted(name for name in space if not name.startswith("_")))
