"""Which slices copy."""
import itertools

COUNT = 100_000
xs = list(range(COUNT))
ts = tuple(xs)
text = "a" * COUNT
data = bytes(COUNT)
view = memoryview(data)


def total_of_slices(xs):
    return xs[0] + total_of_slices(xs[1:]) if xs else 0


def total_from(xs, at=0):
    return xs[at] + total_from(xs, at + 1) if at < len(xs) else 0


# part: copies
print("count", COUNT)
x = xs[1:]  #: list_tail
x = None
x = xs[:]  #: list_whole
x = None
x = ts[1:]  #: tuple_tail
x = None
x = ts[:]  #: tuple_whole
print("same_tuple", x is ts)
x = text[1:]  #: str_tail
x = text[:]  #: str_whole
print("same_str", x is text)
x = data[1:]  #: bytes_tail
x = data[:]  #: bytes_whole
x = view[1:]  #: view_tail
x = range(COUNT)[1:]  #: range_tail
x = itertools.islice(xs, 1, None)  #: islice
x = bytearray(data)
x = x[:]  #: bytearray_whole
# part: recursion_on_slices
few = list(range(400))
print("few", len(few))
total_of_slices(few)  #: recursion
# part: recursion_on_indices
few = list(range(400))
total_from(few)  #: recursion
