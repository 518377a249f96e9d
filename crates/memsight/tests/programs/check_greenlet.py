"""Greenlets: stacks that are swapped under one thread."""
try:
    import greenlet
except ImportError:
    print("no greenlet")
    raise SystemExit

kept = []


def deep(depth, other):
    made = [depth]
    if depth:
        return deep(depth - 1, other) + made
    for number in range(20):
        kept.append([number])
        other.switch()
        kept.append({"back": [number]})
    return made


def one(depth):
    return deep(depth, greenlet.getcurrent().parent)


for depth in (0, 1, 5, 30):
    running = [greenlet.greenlet(one) for _ in range(10)]
    for green in running:
        green.switch(depth)
    while any(not green.dead for green in running):
        for green in running:
            if not green.dead:
                kept.append([str(green)])
                green.switch()
    del kept[:-50]
left = greenlet.greenlet(one)
left.switch(4)
del left
