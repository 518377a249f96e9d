"""Arrays of objects, of numbers that look like objects, and a view of an array."""

import arrays


class Text:
    def __init__(self):
        self.content = bytearray(8000)


class Kept:
    pass


class Named(arrays.ndarray):
    pass


COLUMN = arrays.ndarray("O", [Text() for _ in range(300)])
# The addresses of objects, as numbers: no references.
NUMBERS = arrays.ndarray("l", [Kept() for _ in range(100)])
VIEW = arrays.ndarray("O", arrays.ndarray("O", [bytearray(100_000)]))
NAMED = Named("O", [Kept()])
print(len(COLUMN))
