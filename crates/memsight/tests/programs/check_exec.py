"""Thousands of code objects that come, run once and die: their addresses are used again."""
kept = []
for number in range(3_000):
    source = f"def f{number % 7}(x):\n    return [x, {number}, str(x)]\nvalue = f{number % 7}({number})\n"
    space = {}
    exec(compile(source, f"made-{number % 11}.py", "exec"), space)
    if number % 100 == 0:
        kept.append(space)
same = "def same(x):\n    return [x, [x], str(x)]\nvalue = [same(n) for n in range(3)]\n"
for number in range(1_000):
    exec(same, {})
for number in range(1_000):
    assert eval(f"[{number}, (lambda: [{number}])(), *[n for n in range(2)]]")[0] == number
for number in range(500):
    # The same place and name, another function at it.
    code = compile("\n" * (number % 3) + f"made = [object() for _ in range({number % 9})]", "same.py", "exec")
    exec(code, {})
    exec(code.replace(co_name="other", co_firstlineno=number + 1), {})
for space in kept:
    [function] = [one for name, one in space.items() if name.startswith("f")]
    function([1])
