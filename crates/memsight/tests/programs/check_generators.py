"""Generators nested, resumed from other lines and other frames, thrown into and closed."""


def counted(limit):
    for number in range(limit):
        try:
            kept = [number] * 3
            received = yield kept
            if received:
                kept.append([received])
        except KeyError as error:
            yield str(error) + "!"
        finally:
            last = [number]
    return [limit, last]


def nested(depth, limit):
    if depth == 0:
        return (yield from counted(limit))
    result = yield from nested(depth - 1, limit)
    return [depth, result]


def resume_here(generator):
    return next(generator)


def resume_there(generator):
    made = [object()]
    return made, next(generator)


def resume_deep(generator, depth):
    return resume_deep(generator, depth - 1) if depth else [next(generator)]


def resume_thrown(generator):
    return [generator.throw(KeyError("thrown")), next(generator)]


def resume_sent(generator):
    return generator.send([1, 2])


for depth in (0, 1, 2, 20):
    running = [nested(depth, 400) for _ in range(4)]
    for number in range(60):
        for generator in running:
            resume_here(generator)
            resume_there(generator)
            resume_deep(generator, number % 7)
            resume_thrown(generator)
            resume_sent(generator)
    running[0].close()
    try:
        running[1].throw(ValueError("ends it"))
    except ValueError:
        pass
    del running[2]
    for value in running.pop():
        value.append(None)

# Generators drive each other, and one is made in a frame that is gone.
pairs = zip(*[counted(200)] * 2)
assert len([left + right for left, right in pairs]) == 100
left, right = counted(100), counted(100)
for value in map(lambda one, other: [one, other], left, (next(right) for _ in left)):
    value.append([])


def handed_out():
    inner = counted(51)
    next(inner)
    return (item + [next(inner)] for item in inner)


for value in handed_out():
    value.append(str(value))
