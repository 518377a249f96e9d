class Vector:
    def __init__(self, *parts):
        self.parts = parts

    def __add__(self, other):
        return Vector(*(a + b for a, b in zip(self.parts, other.parts)))

    def __rmul__(self, factor):
        return Vector(*(factor * part for part in self.parts))

    def __iadd__(self, other):
        self.parts = (self + other).parts
        return self

    def __eq__(self, other):
        return self.parts == other.parts

    __hash__ = None


v = Vector(1000, 2000)
w = v
v += Vector(1, 1)
print(v is w, v.parts, (3 * v).parts, v == Vector(1001, 2001))
