"""Blocks: their addresses, their sizes, and how long they stay."""
import sys

COUNT = 10_000


def make():
    return [None] * 100_000  #: made


# part: dropped
make()
# part: kept
kept = make()
# part: addresses
one = bytearray(100_000)
address = id(one)
other = bytearray(100_000)
print("apart", id(other) != address)
del one
third = bytearray(100_000)
print("reused", id(third) == address)
text = "apple"
before = id(text)
text += "sauce"
print("new_string", id(text) != before)
numbers = [1]
before = id(numbers)
numbers += [2] * 1000
print("same_list", id(numbers) == before)
# part: sizes
class Plain:
    pass


for name, value in [
    ("int", 1), ("float", 1.0), ("str", "apple"), ("str_wide", "äpfel→"), ("bytes", b"apple"), ("tuple", ()),
    ("list", []), ("dict", {}), ("set", set()), ("object", Plain()),
]:
    print(name, sys.getsizeof(value))
# part: appended
numbers = []
for _ in range(COUNT):
    numbers.append(None)  #: append
print("count", COUNT)
print("length_bytes", 8 * COUNT)
# part: whole
numbers = [None] * COUNT  #: at_once
