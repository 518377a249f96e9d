"""Layouts and functions of the standard library that need less."""
import array
import collections
import dataclasses
import heapq
import typing

COUNT = 10_000
MANY = 100_000
numbers = [i * 7919 % MANY for i in range(MANY)]
words = ["one", "two", "three", "four"] * (MANY // 4)


class Plain:
    def __init__(self, a, b, c):
        self.a = a
        self.b = b
        self.c = c


class Slotted:
    __slots__ = ("a", "b", "c")

    def __init__(self, a, b, c):
        self.a = a
        self.b = b
        self.c = c


class Named(typing.NamedTuple):
    a: object
    b: object
    c: object


@dataclasses.dataclass
class Data:
    a: object
    b: object
    c: object


def keep(make):
    print("count", COUNT)
    records = [None] * COUNT
    for i in range(COUNT):
        records[i] = make()
    return records


# part: dict
records = keep(lambda: {"a": None, "b": None, "c": None})  #: records
# part: object
records = keep(lambda: Plain(None, None, None))  #: records
# part: dataclass
records = keep(lambda: Data(None, None, None))  #: records
# part: namedtuple
records = keep(lambda: Named(None, None, None))  #: records
# part: tuple
records = keep(lambda: tuple([None, None, None]))  #: records
# part: slots
records = keep(lambda: Slotted(None, None, None))  #: records
# part: floats_list
floats = [x * 0.5 for x in range(MANY)]  #: it
# part: floats_array
floats = array.array("d", (x * 0.5 for x in range(MANY)))  #: it
# part: sorted
largest = sorted(numbers, reverse=True)[:10]  #: it
# part: nlargest
largest = heapq.nlargest(10, numbers)  #: it
# part: grouped
groups = {}
for word in words:
    groups.setdefault(word, []).append(word)  #: it
counts = {word: len(group) for word, group in groups.items()}
# part: counter
counts = collections.Counter(words)  #: it
# part: list_queue
queue = list(range(1000))
for i in range(20_000):
    queue.append(None)  #: it
    queue.pop(0)
# part: deque
queue = collections.deque(range(1000))
for i in range(20_000):
    queue.append(None)  #: it
    queue.popleft()
