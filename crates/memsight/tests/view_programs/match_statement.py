# since 3.10
class Point:
    __match_args__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y


def describe(thing):
    match thing:
        case Point(0, y):
            return ("axis", y)
        case [first, *rest]:
            return (first, rest)
        case {"key": value, **others}:
            return (value, others)
        case str() as text if len(text) > 2:
            return text
        case _:
            return None


print([describe(t) for t in (Point(0, 5000), [1, 2, 3], {"key": 1, "b": 2}, "long", "no")])
