"""Names count, and the last one to go takes the object with it."""
import gc
import sys

gc.disable()


def rows():
    return [None] * 100_000  #: rows


def references(value):
    """How many refer to a value, apart from the calls that count them."""
    return sys.getrefcount(value) - calls


calls = 0
calls = references([])
# part: names
a = [1, 2, 3]
print("one_name", references(a))
b = a
print("two_names", references(a))
box = [a, a, a]
print("in_a_list", references(a))
del box
print("list_gone", references(a))
b = None
print("name_rebound", references(a))
# part: replaced
data = rows()
data = None
data = rows()
# part: overlapping
data = rows()
data = rows()
# part: kept
data = rows()
other = data
del data
# part: dropped
data = rows()
other = data
del data
del other
# part: immortal
print("none", sys.getrefcount(None))
print("one", sys.getrefcount(1))
