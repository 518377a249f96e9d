"""Objects of every kind, alive at the end."""

import array
import asyncio
import collections
import dataclasses
import decimal
import functools
import io
import re
import sys
import types
import warnings
import weakref

N = 300


class Plain:
    pass


class Slots:
    __slots__ = ("x", "y", "__weakref__")


class Both(Slots):
    """Slots and a dict."""


class Meta(type):
    pass


class Words(list):
    pass


class Table(dict):
    pass


@dataclasses.dataclass
class Point:
    x: int
    y: int
    names: list = dataclasses.field(default_factory=list)


Pair = collections.namedtuple("Pair", "left right")


def plain(index):
    one = Plain()
    one.x, one.y, one.name = index * 1000, [index], f"plain {index}"
    return one


def own_keys(index):
    """An instance whose dict shares no keys."""
    one = Plain()
    setattr(one, f"only_{index}", index)
    return one


def with_dict(index):
    """An instance whose dict was asked for."""
    one = plain(index)
    vars(one)
    return one


def slots(index):
    one = Slots()
    one.x, one.y = float(index), (index, None)
    return one


def both(index):
    one = Both()
    one.x, one.y, one.z = index, index * 2.5, bytes(index)
    return one


def closure(index):
    seen = [index]

    def inner(more=index * 3):
        return seen, more

    return inner


def generator(index):
    local = [index] * 3
    yield local
    yield index


def suspended(index):
    one = generator(index)
    next(one)
    return one


async def coroutine(index):
    await asyncio.sleep(index)


def raised(index):
    local = "x" * index
    try:
        raise ValueError(index, local)
    except ValueError as error:
        return error


def make_class(index):
    return Meta(f"Made{index}", (Plain,), {"number": index, "method": lambda self: index})


def made_code(index):
    return compile(f"def f_{index}(a, b={index}, *c):\n    return [a + x_{index} for x in c]\n", "made", "exec")


def made_module(index):
    one = types.ModuleType(f"made_{index}")
    exec(made_code(index), vars(one))
    return one


MAKERS = [
    plain,
    own_keys,
    with_dict,
    slots,
    both,
    closure,
    generator,
    suspended,
    coroutine,
    raised,
    made_module,
    make_class,
    made_code,
    lambda i: Point(i, i * 500, [i]),
    lambda i: Pair(i, str(i) * 3),
    lambda i: Words(range(i)),
    lambda i: Table(a=i, b=[i]),
    lambda i: bytearray(i * 10),
    lambda i: bytes(i * 7),
    lambda i: "ä" * i,
    lambda i: "😀" * i,
    lambda i: 1 << i * 8,
    lambda i: complex(i, i),
    lambda i: list(range(i * 3)),
    lambda i: tuple(range(i)),
    lambda i: dict.fromkeys(range(i)),
    lambda i: {f"key {j}": j for j in range(i % 20)},
    lambda i: set(range(i)),
    lambda i: frozenset(range(i % 30)),
    lambda i: collections.deque(range(i * 2)),
    lambda i: collections.OrderedDict.fromkeys(range(i % 50)),
    lambda i: collections.defaultdict(list, {j: [j] for j in range(i % 30)}),
    lambda i: collections.Counter("abc" * i),
    lambda i: array.array("d", range(i)),
    lambda i: memoryview(bytearray(i)),
    lambda i: memoryview(array.array("i", range(i)))[:: 2],
    lambda i: io.BytesIO(b"x" * i * 5),
    lambda i: io.StringIO("x" * i),
    lambda i: io.BufferedReader(io.BytesIO(b"abc"), 64 + i),
    lambda i: io.TextIOWrapper(io.BytesIO(b"a\nb\n" * i)),
    lambda i: re.compile(f"a{i}(b|c)*"),
    lambda i: decimal.Decimal(7) ** i,
    lambda i: functools.partial(plain, i, more=[i]),
    lambda i: functools.lru_cache(maxsize=i)(lambda x: x),
    lambda i: slice(i, [i]),
    lambda i: range(i * 1000, i * 2000),
    lambda i: iter([i]),
    lambda i: enumerate([i]),
    lambda i: types.SimpleNamespace(a=i, b=[i]),
    lambda i: types.MappingProxyType({"a": i}),
    lambda i: property(plain, doc=f"property {i}"),
    lambda i: [].append,
    lambda i: plain(i).__init__,
]

kept = {maker: [maker(i) for i in range(N)] for maker in MAKERS}
weak = [weakref.ref(one) for one in kept[slots]] + [weakref.proxy(one) for one in kept[plain]]
called_back = [weakref.ref(one, print) for one in kept[both]]
by_name = weakref.WeakValueDictionary((i, one) for i, one in enumerate(kept[plain]))
alive = weakref.WeakSet(kept[make_class])
recent = functools.lru_cache(maxsize=None)(lambda x: [x])
for number in range(1000):
    recent(number)
files = [open(__file__, "rb") for _ in range(10)] + [open(__file__) for _ in range(10)]
for file in files:
    file.readline()

try:
    import numpy
except ImportError:
    numpy = None
else:
    arrays = [numpy.arange(i * 10.0) for i in range(N)]
    views = [one[::2] for one in arrays]
    objects = numpy.array([[i] for i in range(N)] + [None], dtype=object)
    records = numpy.zeros(100, dtype=[("a", "i4"), ("b", "f8")])

# The coroutines are never awaited, on purpose.
warnings.simplefilter("ignore")
