"""Calls of every kind, nested at random, with exceptions through them: frames at the same address, again and again."""
import random
import sys

chance = random.Random(20)
kept = []


class Stop(Exception):
    pass


class Thing:
    def __init__(self, depth):
        self.made = [deeper(depth), {}]

    def method(self, depth):
        return [deeper(depth), self]

    @property
    def value(self):
        return [deeper(self.depth)]

    def __getitem__(self, depth):
        return [deeper(depth), depth]

    def __enter__(self):
        return [deeper(self.depth)]

    def __exit__(self, *error):
        return len(deeper(0)) > 1

    def __lt__(self, other):
        return len(deeper(self.depth)) < len([0, 1])

    def __del__(self):
        kept.append([len(kept)])
        del kept[:-10]


thing = Thing.__new__(Thing)
thing.depth = 1


def generated(depth):
    yield deeper(depth)
    if chance.random() < 0.3:
        raise Stop
    yield [deeper(depth)]


def empty_or_raises(raises):
    if raises:
        raise Stop
    return
    yield


def delegates(depth):
    yield from generated(depth)
    for one in empty_or_raises(chance.random() < 0.2):
        kept.append(one)
    yield [depth]


def raises_at_once():
    kept.append([1])
    kept.append([[2]])
    raise Stop
    yield


def consumes(generator):
    # Nothing but the generator was ever on the stack of values here.
    for one in generator:
        kept.append(one)


def consumes_by_two_lines():
    for _ in range(300):
        generator = raises_at_once()
        try:
            consumes(generator)
        except Stop:
            pass
        generator = raises_at_once()
        try:
            consumes(generator)
        except Stop:
            pass


def keywords(depth, *rest, **named):
    return [deeper(depth), rest, named]


def by_generator(depth):
    for one in generators[0]:
        kept.append(one)


def recursive(depth):
    return [recursive(depth - 1)] if depth > 0 else deeper(0)


def deeper(depth):
    if depth <= 0 or chance.random() < 0.1:
        if chance.random() < 0.15:
            raise Stop([depth])
        return [depth, str(chance.random())]
    below = depth - 1
    thing.depth = below
    try:
        return shapes[chance.randrange(len(shapes))](below)
    except Stop as stop:
        if chance.random() < 0.5:
            raise
        return [stop.args, [depth]]


def loops(depth):
    generators[0] = delegates(depth)
    by_generator(depth)
    generators[0] = empty_or_raises(chance.random() < 0.5)
    by_generator(depth)
    return [depth]


def within(depth):
    with thing as entered:
        return [deeper(depth), entered]
    return [depth]


generators = [None]
shapes = [
    deeper,
    lambda depth: [Thing(depth)],
    thing.method,
    recursive,
    loops,
    within,
    lambda depth: thing.value,
    lambda depth: thing[depth],
    lambda depth: [thing < thing],
    lambda depth: list(generated(depth)),
    lambda depth: [one for one in delegates(depth)],
    lambda depth: keywords(depth, 1, key=[depth]),
    lambda depth: keywords(*[depth, 1], **{"key": 2}),
    lambda depth: [deeper(below) for below in range(depth % 3)],
    lambda depth: sorted([3, 1, 2], key=lambda one: len(deeper(depth % 2))),
    lambda depth: list(map(deeper, [depth, depth - 1])),
    lambda depth: [deeper(depth)] + [deeper(depth)],
    lambda depth: deeper(depth) and deeper(depth - 1) and [deeper(depth)],
]


def run(rounds):
    for number in range(rounds):
        try:
            kept.append(deeper(number % 12))
        except Stop:
            pass
        del kept[:-10]


def traced(frame, event, argument):
    assert frame.f_trace_lines is True
    kept.append([event, frame.f_lineno])
    if chance.random() < 0.05:
        kept.append([recursive(3)] if chance.random() < 0.5 else [])
    del kept[:-10]
    return traced


consumes_by_two_lines()
run(6_000)
sys.settrace(traced)
run(150)
sys.settrace(None)
sys.setprofile(traced)
run(150)
sys.setprofile(None)
run(1_000)
