"""Known sizes in every kind of frame that Python code can have."""
import asyncio
import threading
import types

from sizes import (
    BYTEARRAY, FUNCTION, GC_HEAD, LIST, RANGE, RANGE_ITERATOR, TRACEBACK, VERSION,
    call_of, drain, frame_object_of, generator_of, list_growth, name_of, tell, tuple_of, want,
)

COUNT, SIZE = 30, 9_000
KEEP = [None] * 100
MESSAGE = "kept"


def each(size=SIZE):
    return BYTEARRAY + size + 1


def work(kept, index):
    kept[index] = bytearray(SIZE)  # @thread


def work_for_another(kept, index):
    kept[index] = bytearray(400_000)  # @freed-by-another-thread


def threads():
    for place, target in enumerate([work, work_for_another]):
        kept = KEEP[place] = [None] * COUNT
        running = [threading.Thread(target=target, args=(kept, index)) for index in range(COUNT)]
        for thread in running:
            thread.start()
        for thread in running:
            thread.join()
    for index in range(COUNT):
        KEEP[1][index] = None
    want("thread", 2 * COUNT, COUNT * each(), function=name_of(work))
    want("freed-by-another-thread", 2 * COUNT, COUNT * each(400_000), 0, 0)


def numbered(kept):
    kept[0] = bytearray(1_111)  # @generator-first
    yield
    kept[1] = bytearray(2_222)  # @generator-second
    received = yield
    kept[2] = received


def outer(kept):
    yield from numbered(kept)


def generators():
    drain()
    kept = KEEP[2] = [None] * COUNT
    stores = KEEP[3] = [[None] * 3 for _ in range(COUNT)]
    for index in range(COUNT):
        kept[index] = numbered(stores[index])  # @generator-made
    for generator in kept:
        next(generator)
    for generator in kept:
        generator.send(None)
    blocks, total = generator_of(types.GeneratorType, numbered.__code__)
    want("generator-made", COUNT * blocks, COUNT * total)
    # One more runs below, nested in another.
    want("generator-first", 2 * (COUNT + 1), (COUNT + 1) * each(1_111), function=name_of(numbered))
    want("generator-second", 2 * (COUNT + 1), (COUNT + 1) * each(2_222), function=name_of(numbered))
    KEEP[4] = [None] * 3
    KEEP[5] = nested = outer(KEEP[4])
    next(nested)
    next(nested)


@types.coroutine
def pause():
    yield


async def coroutine(kept, index):
    kept[index] = bytearray(3_333)  # @coroutine-before
    await pause()
    kept[index] = bytearray(4_444)  # @coroutine-after


def coroutines():
    drain()
    kept = KEEP[6] = [None] * COUNT
    waiting = KEEP[7] = [None] * COUNT
    for index in range(COUNT):
        waiting[index] = coroutine(kept, index)  # @coroutine-made
    for one in waiting:
        one.send(None)
    for one in waiting:
        try:
            one.send(None)
        except StopIteration:
            pass
    blocks, total = generator_of(types.CoroutineType, coroutine.__code__)
    if VERSION >= (3, 11):
        want("coroutine-made", COUNT * blocks, COUNT * total)
    else:
        # The frames of those that ended are on a free list, or made larger for others.
        want("coroutine-made", COUNT * blocks, COUNT * total, -1, -1)
    # The same function runs in tasks below.
    want("coroutine-before", 4 * COUNT, 2 * COUNT * each(3_333), 0, 0)
    want("coroutine-after", 4 * COUNT, 2 * COUNT * each(4_444), function=name_of(coroutine))


async def gathered():
    kept = KEEP[8] = [None] * COUNT

    async def in_task(index):
        await coroutine_in_task(kept, index)

    await asyncio.gather(*[in_task(index) for index in range(COUNT)])


async def coroutine_in_task(kept, index):
    await asyncio.sleep(0)
    await coroutine(kept, index)


def tasks():
    # Tuples of one for the free list: asyncio keeps those that calls of `bytearray` give back.
    spare = [(index,) for index in range(10 * COUNT)]
    del spare
    asyncio.run(gathered())


def raises():
    raise ValueError(MESSAGE)  # @raised


def exceptions():
    drain()
    kept = KEEP[9] = [None] * COUNT
    for index in range(COUNT):
        try:
            raises()  # @raised-through
        except ValueError as error:
            kept[index] = error
    exception = GC_HEAD + ValueError.__basicsize__
    arguments = tuple_of(1)
    frame = frame_object_of(raises.__code__)
    # The free list holds three tuples of one (see `drain`); the exceptions keep all they take.
    blocks = COUNT * 3 - 3
    total = COUNT * (exception + arguments + TRACEBACK) - 3 * arguments
    through_blocks, through = COUNT, COUNT * TRACEBACK
    if VERSION >= (3, 11):
        # The traceback needs a frame object; each call has one, and so has this function.
        blocks, total = blocks + COUNT, total + COUNT * frame
        through_blocks, through = through_blocks + 1, through + frame_object_of(exceptions.__code__)
        want("raised-through", through_blocks, through)
    else:
        want("raised-through", through_blocks + COUNT, through + COUNT * frame)
    want("raised", blocks, total)


def descend(depth, kept):
    kept[depth] = bytearray(SIZE)  # @each-level
    if depth:
        descend(depth - 1, kept)  # @descent


def recursion():
    drain()
    kept = KEEP[10] = [None] * 51
    descend(50, kept)  # @descent-begins
    want("each-level", 2 * 51, 51 * each())
    blocks, total = call_of(descend.__code__)
    want("descent", 50 * blocks, 50 * total, -1, -1)
    want("descent-begins", blocks, total, -1, -1)


def is_comprehension(constant):
    return getattr(constant, "co_name", None) == "<listcomp>"


def comprehension():
    drain()
    KEEP[11] = [bytearray(SIZE) for _ in range(COUNT)]  # @comprehension
    growths, grown, left = list_growth(COUNT)
    blocks, total = 2 * COUNT, COUNT * each()
    passing = [RANGE, RANGE_ITERATOR]
    staying = 0
    if VERSION < (3, 12):
        passing.append(FUNCTION)
        code = next(filter(is_comprehension, comprehension.__code__.co_consts))
        staying, frame = call_of(code)
        blocks, total = blocks + staying, total + frame
    want("comprehension", blocks + growths + 1 + len(passing), total + grown + LIST + sum(passing),
         blocks + 2, total + LIST + left)


def logged(function):
    def around(*arguments):
        KEEP[12] = bytearray(1_234)  # @around
        return function(*arguments)

    return around


@logged
@logged
def decorated(size):
    return bytearray(size)  # @decorated


def decorators():
    KEEP[13] = [decorated(SIZE) for _ in range(COUNT)]
    name = "decorated"
    want("around", 4 * COUNT, 2 * COUNT * each(1_234), 2, each(1_234))
    want("decorated", 2 * COUNT, COUNT * each(), function=name)


def lambdas():
    make = lambda: bytearray(5_678)  # @lambda
    make()
    KEEP[14] = [make() for _ in range(COUNT)]
    # The function object itself is made on the same line.
    blocks, total = 2 * (COUNT + 1), (COUNT + 1) * each(5_678)
    want("lambda", blocks, total, 2 * COUNT, COUNT * each(5_678),
         function="lambdas.<locals>.<lambda>" if VERSION >= (3, 11) else "<lambda>")


MADE_UP = """
# three lines
# before the first
def made(kept, index):
    kept[index] = bytearray(6_789)

for index in range(%d):
    made(kept, index)
"""


def executed():
    kept = KEEP[15] = [None] * COUNT
    exec(compile(MADE_UP % COUNT, "<made up>", "exec"), {"kept": kept})
    want("exec", 2 * COUNT, COUNT * each(6_789), function="made", file="<made up>", line=5)
    for number in range(3):
        space = {"kept": [None] * 2}
        KEEP[16 + number] = space
        exec(compile("\n" * number + "kept[0] = bytearray(4_321)", "/no/such/file.py", "exec"), space)
        want("exec", 2, each(4_321), function="<module>", file="/no/such/file.py", line=number + 1)


class Managed:
    def __enter__(self):
        KEEP[19] = bytearray(2_345)  # @enter
        return self

    def __exit__(self, *arguments):
        KEEP[20] = bytearray(3_456)  # @exit

    def __del__(self):
        KEEP[21] = bytearray(4_567)  # @del

    @property
    def asked(self):
        return bytearray(5_432)  # @property

    def __add__(self, other):
        return bytearray(6_543)  # @add


def special_methods():
    with Managed() as managed:
        KEEP[22] = managed.asked
        KEEP[23] = managed + None
    managed = None
    want("enter", 2, each(2_345), function="Managed.__enter__" if VERSION >= (3, 11) else "__enter__")
    want("exit", 2, each(3_456))
    want("del", 2, each(4_567))
    want("property", 2, each(5_432))
    want("add", 2, each(6_543))


def by_key(number):
    KEEP[24][number] = bytearray(7_654)  # @called-by-c
    return number


def called_by_c():
    KEEP[24] = [None] * COUNT
    sorted(range(COUNT), key=by_key)
    want("called-by-c", 2 * COUNT, COUNT * each(7_654))


for case in [
    threads, generators, coroutines, tasks, exceptions, recursion, comprehension, decorators, lambdas,
    executed, special_methods, called_by_c,
]:
    case()
tell()
