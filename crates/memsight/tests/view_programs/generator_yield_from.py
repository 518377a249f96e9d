def inner():
    got = yield "inner"
    return [got]


def outer():
    result = yield from inner()
    yield result
    yield from (number * 1000 for number in range(2))


walk = outer()
print(next(walk), walk.send("sent"), list(walk))
