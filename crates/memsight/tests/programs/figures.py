"""The figures that the checker's documentation rests on, measured anew.

An experiment in parts for `src/explain/experiments/harness.py`, read by
`tests/figures.rs`: a part's name says what it does.
"""
import array
import heapq
import io
import itertools

MILLION = 1_000_000


def numbers():
    return list(range(MILLION))


def mixed():
    return [i * 7919 % MILLION for i in range(MILLION)]


def pieces():
    """A tenth of the three million pieces of ten characters."""
    for i in range(300_000):
        yield "%09d\n" % i


class Plain:
    def __init__(self):
        self.a = self.b = self.c = None


class Slotted:
    __slots__ = ("a", "b", "c")

    def __init__(self):
        self.a = self.b = self.c = None


# part: sum_list
sum([x * 2 for x in range(MILLION)])
# part: sum_generator
sum(x * 2 for x in range(MILLION))
# part: tuple_list
tuple([None for _ in range(MILLION)])
# part: tuple_generator
tuple(None for _ in range(MILLION))
# part: set_list
set([x for x in range(MILLION)])
# part: set_comprehension
{x for x in range(MILLION)}
# part: numbers
xs = numbers()
# part: slice
xs = numbers()
for x in xs[1:]:
    pass
# part: islice
xs = numbers()
for x in itertools.islice(xs, 1, None):
    pass
# part: zip_slice
xs = numbers()
for a, b in zip(xs, xs[1:]):
    pass
# part: pairwise
xs = numbers()
if hasattr(itertools, "pairwise"):
    for a, b in itertools.pairwise(xs):
        pass
# part: mixed
xs = mixed()
# part: sorted
xs = mixed()
sorted(xs)[:10]
# part: nsmallest
xs = mixed()
heapq.nsmallest(10, xs)
# part: floats_list
floats = [x * 0.5 for x in range(MILLION)]
# part: floats_array
floats = array.array("d", (x * 0.5 for x in range(MILLION)))
# part: records_dict
records = [{"a": None, "b": None, "c": None} for _ in range(10_000)]
# part: records_object
records = [Plain() for _ in range(10_000)]
# part: records_slotted
records = [Slotted() for _ in range(10_000)]
# part: text_join
"".join([piece for piece in pieces()])
# part: text_join_generator
"".join(pieces())
# part: text_added
def build():
    s = ""
    for piece in pieces():
        s += piece
    return len(s)


build()
# part: text_stringio
out = io.StringIO()
for piece in pieces():
    out.write(piece)
out.getvalue()
