"""Code in other interpreters of the process, and back in the first."""
import textwrap

SOURCE = textwrap.dedent(
    """
    def made(depth):
        return made(depth - 1) if depth else [bytearray(10), str(depth)]

    kept = [made(depth % 9) for depth in range(300)]
    import json
    json.loads(json.dumps([{"n": n} for n in range(50)]))
    """
)


def runners():
    """(make, run, destroy) by whatever name this version has for them."""
    for name in ("_interpreters", "_xxsubinterpreters"):
        try:
            module = __import__(name)
        except ImportError:
            continue
        return module.create, module.run_string, module.destroy
    return None


def around(depth, run, number):
    if depth:
        return around(depth - 1, run, number)
    run(number, SOURCE)
    return [depth]


found = runners()
kept = [[n] for n in range(2_000)]
if found is None:
    print("no subinterpreters")
else:
    create, run, destroy = found
    numbers = [create() for _ in range(3)]
    for turn in range(2):
        for number in numbers:
            around(turn * 3, run, number)
            kept.append([str(turn)] * 2)
    for number in numbers:
        destroy(number)
    kept.append([str(one) for one in range(100)])
