"""Objects of known sizes at known lines."""
import sys

from sizes import (
    ASCII, BYTEARRAY, BYTES, COMPACT, DICT, FLOAT, LIST, SET, VERSION,
    dict_growth, dict_keys_of, drain, instance_of, keeps_smallest_keys, list_growth, set_growth, tell, tuple_of, want,
)

COUNT, SIZE, MORE = 40, 12_345, 23_456
KEEP = [None] * 1000
PAYLOAD = bytes(1000)
NARROW, LATIN, WIDE, ASTRAL = "x", "\xe9", "\u0416", "\U0001f40d"
NONE = (None,)


def bytearrays():
    kept = KEEP[0] = [None] * COUNT
    for index in range(COUNT):
        kept[index] = bytearray(SIZE)  # @bytearrays
    want("bytearrays", 2 * COUNT, COUNT * (BYTEARRAY + SIZE + 1))


def half_deleted():
    kept = KEEP[1] = [None] * COUNT
    for index in range(COUNT):
        kept[index] = bytearray(MORE)  # @half-deleted
    for index in range(0, COUNT, 2):
        kept[index] = None
    each = BYTEARRAY + MORE + 1
    want("half-deleted", 2 * COUNT, COUNT * each, COUNT, COUNT // 2 * each)


def all_deleted():
    first = bytearray(5_000)  # @all-deleted
    second = first
    del first
    del second
    want("all-deleted", 2, BYTEARRAY + 5_001, 0, 0)


def rebound():
    kept = None
    for _ in range(COUNT):
        kept = bytearray(777)  # @rebound
    KEEP[2] = kept
    want("rebound", 2 * COUNT, COUNT * (BYTEARRAY + 778), 2, BYTEARRAY + 778)


def grown_bytearray():
    kept = KEEP[3] = bytearray(100)
    kept += PAYLOAD  # @grown-bytearray
    want("grown-bytearray", 1, 1_101)


def two_lines_of_one_call():
    drain()
    KEEP[4] = max(
        bytearray(2_000),  # @first-argument
        bytearray(3_000),  # @second-argument
    )
    want("first-argument", 2, BYTEARRAY + 2_001, 0, 0)
    want("second-argument", 2, BYTEARRAY + 3_001, 0, 0)
    KEEP[4] = None


def list_of_none():
    drain()
    KEEP[5] = NONE_LIST * 1_000  # @list-of-none
    want("list-of-none", 2, LIST + 8_000)
    assert sys.getsizeof(KEEP[5]) == LIST + 8_000


def sliced_list():
    drain()
    KEEP[6] = LONG_LIST[100:400]  # @sliced-list
    want("sliced-list", 2, LIST + 2_400)


def appended():
    drain()
    kept = KEEP[7] = []  # @empty-list
    for _ in range(2_000):
        kept.append(None)  # @appended
    want("empty-list", 1, LIST)
    reallocations, total, left = list_growth(2_000)
    want("appended", reallocations, total, 1, left)
    assert sys.getsizeof(kept) == LIST + left


def all_bytes():
    KEEP[8] = bytes(SIZE)  # @bytes
    want("bytes", 1, BYTES + SIZE)
    KEEP[9] = PAYLOAD + PAYLOAD  # @joined-bytes
    want("joined-bytes", 1, BYTES + 2_000)


def strings():
    KEEP[10] = NARROW * SIZE  # @ascii
    KEEP[11] = LATIN * SIZE  # @latin
    KEEP[12] = WIDE * SIZE  # @two-byte
    KEEP[13] = ASTRAL * SIZE  # @four-byte
    want("ascii", 1, ASCII + SIZE + 1)
    want("latin", 1, COMPACT + SIZE + 1)
    want("two-byte", 1, COMPACT + 2 * (SIZE + 1))
    want("four-byte", 1, COMPACT + 4 * (SIZE + 1))
    for index, label in enumerate(["ascii", "latin", "two-byte", "four-byte"]):
        unit = [1, 1, 2, 4][index]
        head = ASCII if index == 0 else COMPACT
        assert sys.getsizeof(KEEP[10 + index]) == head + unit * (SIZE + 1), label


def string_by_plus():
    text = NARROW * 10
    for _ in range(500):
        text += NARROW  # @string-by-plus
    KEEP[14] = text
    sizes = [ASCII + length + 1 for length in range(11, 511)]
    want("string-by-plus", 500, sum(sizes), 1, sizes[-1])


def tuples():
    drain()
    KEEP[15] = NONE * 500  # @tuple
    want("tuple", 1, tuple_of(500))
    kept = KEEP[16] = [None] * COUNT
    for index in range(COUNT):
        kept[index] = index, kept, None  # @small-tuples
    want("small-tuples", COUNT, COUNT * tuple_of(3))


def want_growth(label, growths, total, left, entry_bytes):
    if keeps_smallest_keys(entry_bytes):
        want(label, growths, total, 2, left + dict_keys_of(3, entry_bytes))
    else:
        want(label, growths, total, 1, left)


def dicts():
    drain()
    numbers = KEEP[17] = {}  # @dict
    for index in range(200):
        numbers[index] = None  # @dict-of-numbers
    want("dict", 1, DICT)
    growths, total, left = dict_growth(200, 24)
    want_growth("dict-of-numbers", growths, total, left, 24)
    assert sys.getsizeof(numbers) == DICT + left
    drain()
    names = KEEP[18] = {}
    for name in NAMES:
        names[name] = None  # @dict-of-names
    entry_bytes = 16 if VERSION >= (3, 11) else 24
    growths, total, left = dict_growth(len(NAMES), entry_bytes)
    want_growth("dict-of-names", growths, total, left, entry_bytes)
    assert sys.getsizeof(names) == DICT + left


def sets():
    kept = KEEP[19] = set()  # @set
    for index in range(200):
        kept.add(index)  # @grown-set
    want("set", 1, SET)
    growths, total, left = set_growth(200)
    want("grown-set", growths, total, 1, left)
    assert sys.getsizeof(kept) == SET + left


def floats():
    drain()
    factor = HALF
    kept = KEEP[20] = [None] * COUNT
    for index in range(COUNT):
        kept[index] = factor * factor  # @floats
    want("floats", COUNT, COUNT * FLOAT)


class Slotted:
    __slots__ = ("left", "right", "value")


class Plain(Slotted):
    __slots__ = ()

    def __init__(self, value):
        self.value = bytearray(value)  # @in-init


def slotted():
    kept = KEEP[21] = [None] * COUNT
    for index in range(COUNT):
        kept[index] = Slotted()  # @slotted
    assert Slotted.__basicsize__ == 16 + 3 * 8
    want("slotted", COUNT, COUNT * (16 + 16 + 3 * 8))
    made = Plain
    for index in range(COUNT):
        kept.append(made(300))
    want("in-init", 2 * COUNT, COUNT * (BYTEARRAY + 301), function=NAME_OF_INIT)


def objects():
    kept = KEEP[22] = [None] * COUNT
    for index in range(COUNT):
        kept[index] = object()  # @objects
    want("objects", COUNT, COUNT * instance_of(object))


NONE_LIST = [None]
LONG_LIST = [None] * 1_000
NAMES = ["name-%d" % index for index in range(150)]
for name in NAMES:
    hash(name)
HALF = float(len(NAMES)) / 2
NAME_OF_INIT = "Plain.__init__" if VERSION >= (3, 11) else "__init__"

for case in [
    bytearrays, half_deleted, all_deleted, rebound, grown_bytearray, two_lines_of_one_call, list_of_none,
    sliced_list, appended, all_bytes, strings, string_by_plus, tuples, dicts, sets, floats, slotted, objects,
]:
    case()
tell()
