"""What CPython's own structures cost, from its headers and sources.

Nothing here is measured by a memory tool: every figure is a structure of the
version's C source, a growth formula of its C source, or a `__basicsize__`.
"""
import gc
import json
import sys
import types

VERSION = sys.version_info[:2]
GC_HEAD = 16  # PyGC_Head, before each object that the collector tracks
OBJECT = 16  # PyObject
VAR_OBJECT = 24  # PyVarObject

LIST = GC_HEAD + 40
BYTEARRAY = 56
BYTES = 33
DICT = GC_HEAD + 48
FLOAT = 24
SET = GC_HEAD + 200
# PyASCIIObject lost its wstr in 3.12, PyCompactUnicodeObject its wstr_length.
ASCII = 40 if VERSION >= (3, 12) else 48
COMPACT = 56 if VERSION >= (3, 12) else 72
KEYS = 32 if VERSION >= (3, 11) else 40  # PyDictKeysObject
TRACEBACK = GC_HEAD + 40
RANGE = 48
RANGE_ITERATOR = type(iter(range(1))).__basicsize__


def tuple_of(count):
    return GC_HEAD + VAR_OBJECT + 8 * count


def instance_of(kind):
    tracked = kind.__flags__ & 1 << 14  # Py_TPFLAGS_HAVE_GC
    return (GC_HEAD if tracked else 0) + kind.__basicsize__


FUNCTION = instance_of(types.FunctionType)


def slots_of(code):
    """Locals, cells, free variables and the evaluation stack, in words."""
    cells = len(code.co_cellvars)
    if VERSION >= (3, 11):
        # From 3.11 an argument that is a cell has one place, not two.
        cells = len(set(code.co_cellvars) - set(code.co_varnames))
    return code.co_nlocals + cells + len(code.co_freevars) + code.co_stacksize


def frame_object_of(code):
    return GC_HEAD + types.FrameType.__basicsize__ + 8 * slots_of(code)


def call_of(code):
    """(allocations, bytes) of a call whose frame cannot be taken from anywhere.

    Up to 3.10 every frame is an object, made before the callee's first line.
    """
    return (1, frame_object_of(code)) if VERSION < (3, 11) else (0, 0)


def generator_of(kind, code):
    """(allocations, bytes) of a generator or coroutine with its frame."""
    if VERSION < (3, 11):
        return 2, GC_HEAD + kind.__basicsize__ + frame_object_of(code)
    return 1, GC_HEAD + kind.__basicsize__ + 8 * slots_of(code)


def list_growth(appends):
    """`list_resize` of Objects/listobject.c: (reallocations, their bytes, bytes kept)."""
    allocated = reallocations = total = 0
    for size in range(1, appends + 1):
        if size > allocated:
            allocated = (size + (size >> 3) + 6) & ~3
            reallocations += 1
            total += 8 * allocated
    return reallocations, total, 8 * allocated


def dict_keys_of(log2_size, entry_bytes):
    size = 1 << log2_size
    index_bytes = 1 if size < 256 else 2 if size < 65536 else 4
    return KEYS + size * index_bytes + (2 * size // 3) * entry_bytes


def keeps_smallest_keys(entry_bytes):
    """Whether the keys that a dict begins with go to a free list: from 3.11 those of names only."""
    return VERSION < (3, 11) or entry_bytes == 16


def dict_growth(inserts, entry_bytes):
    """`insertion_resize` of Objects/dictobject.c from an empty dict: (allocations, their bytes, bytes kept)."""
    log2_size = allocations = total = used = usable = 0
    for _ in range(inserts):
        if usable == 0:
            log2_size = 3
            while used and 1 << log2_size < used * 3:
                log2_size += 1
            usable = 2 * (1 << log2_size) // 3 - used
            allocations += 1
            total += dict_keys_of(log2_size, entry_bytes)
        used += 1
        usable -= 1
    return allocations, total, dict_keys_of(log2_size, entry_bytes)


def set_growth(adds):
    """`set_add_entry` of Objects/setobject.c: as `list_growth`. The first 8 entries are in the set."""
    mask = 7
    allocations = total = 0
    for used in range(1, adds + 1):
        if used * 5 >= mask * 3:
            size = 8
            while size <= used * 4:
                size *= 2
            mask = size - 1
            allocations += 1
            total += 16 * size
    return allocations, total, 16 * (mask + 1)


_drained = []


def _one():
    yield


def drain():
    """Empties CPython's free lists, so that every object is allocated.

    Three tuples of one are left: a call of a type takes one for its arguments.
    """
    keep = []
    for index in range(2100):
        keep.append((index,))
        keep.append((index, index))
        keep.append((index, index, index))
    for index in range(300):
        one = {}
        one["a"] = 1
        keep.append(one)
        keep.append(index + 0.5)
        keep.append(_one())
        keep.append([])
    _drained.append(keep)
    first, second, third = (index,), (index,), (index,)
    del first, second, third


_wanted = []


def want(label, allocations, allocated_bytes, live_blocks=None, live_bytes=None, function=None, file=None, line=None):
    """Says what must be recorded at the line marked `# @label` (or at `line` of `file`). -1 is not compared."""
    if live_blocks is None:
        live_blocks, live_bytes = allocations, allocated_bytes
    _wanted.append(
        {
            "label": label,
            "file": file,
            "line": line,
            "function": function,
            "allocations": allocations,
            "allocated_bytes": allocated_bytes,
            "live_blocks": live_blocks,
            "live_bytes": live_bytes,
        }
    )


def tell():
    """Prints what is wanted, for the test that compares."""
    path = sys.modules["__main__"].__file__
    with open(path) as source:
        lines = source.read().splitlines()
    for wanted in _wanted:
        if wanted["line"] is None:
            mark = "# @" + wanted["label"]
            (wanted["line"],) = [n for n, text in enumerate(lines, 1) if text.endswith(mark)]
            wanted["file"] = path
        print(json.dumps(wanted))


def name_of(function):
    """The name that a code object of this version has."""
    return function.__qualname__ if VERSION >= (3, 11) else function.__name__


gc.disable()
