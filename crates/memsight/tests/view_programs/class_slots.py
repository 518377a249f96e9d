class Pair:
    __slots__ = ("first", "second")

    def __init__(self, first, second):
        self.first = first
        self.second = second


pair = Pair(["f"], ["s"])
try:
    pair.third = 3
except AttributeError as error:
    print(type(error).__name__)
del pair.first
print(hasattr(pair, "first"), pair.second)
