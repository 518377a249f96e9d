text = "def f(a, b):\n    c = {a, b, %d} | {a}\n    return sorted(c) if a else [b, c, f]\n"
codes = []
for number in range(62):
    codes.append(compile(text % number, "made", "exec"))
    if len(codes) > 5:
        codes.clear()
found = {}
exec(codes[0], found)
print(len(codes), found["f"](1001, 1002))
