"""What every program begins with: values of odd classes, ways to tell what was done, and a process for each case."""

import asyncio, collections, contextlib, copy, functools, glob, hashlib, io, itertools, math, os, re, signal, struct, sys

LOG = []
COUNTER = [0]

# That operators and look-ups run code of a class that does more than to answer, no proof takes into account.


class OddList(list):
    def __iter__(self):
        LOG.append("iter")
        return super().__iter__()

    def __getitem__(self, at):
        found = super().__getitem__(at)
        return OddList(reversed(found)) if isinstance(at, slice) else found


class OddDict(dict):
    def __iter__(self):
        LOG.append("keys")
        return iter(sorted(super().keys(), key=str, reverse=True))

    def __getitem__(self, key):
        self.pop(key + 1, None)
        return super().get(key, -1)


class OddText(str):
    def __add__(self, other):
        return OddText(str(self) + "~" + other)


def show(value):
    if isinstance(value, (int, str, bytes, float, type(None), bytearray)):
        return f"{type(value).__name__}:{value!r}"
    if isinstance(value, dict):
        return f"{type(value).__name__}:{{{', '.join(show(k) + '=' + show(v) for k, v in list(value.items())[:99])}}}"
    if isinstance(value, (list, tuple, set, frozenset, collections.deque)):
        return f"{type(value).__name__}:[{', '.join(map(show, list(value)[:99]))}]"
    if hasattr(value, "__next__") and not isinstance(value, io.IOBase):
        return f"iterator:[{', '.join(map(show, itertools.islice(value, 99)))}]"
    return type(value).__name__


def note(value):
    LOG.append(show(value))
    return value


def boom(x):
    if x == 3:
        raise ValueError("three")
    return x


def stop(x):
    if x == 4:
        raise StopIteration(x)
    return x


def shrink(xs):
    if xs and hasattr(xs, "pop"):
        xs.pop()
    return xs


def lazily(xs):
    for x in xs:
        LOG.append(("given", x))
        yield x


def child(name):
    """Whether this is a new process, which may be broken or stopped at will; the old one waits for it."""
    sys.stdout.flush()
    process = os.fork()
    if process == 0:
        for left in glob.glob(PATH + "*"):
            os.unlink(left)
        # In seconds of its own, however busy the machine is; one that waits is given longer.
        signal.setitimer(signal.ITIMER_PROF, 0.1)
        signal.setitimer(signal.ITIMER_REAL, 10)
        return True
    if os.waitpid(process, 0)[1]:
        print("\n==", name, "EXPIRED", flush=True)
    return False


def finish(name, outcome, *arguments):
    print("\n==", name, outcome, "| arguments", *map(show, arguments), "| log", *LOG, flush=True)
    os._exit(0)


def broken_by(error):
    # Some messages name the type or what was done, that of `struct` how much there is of the buffer.
    named = isinstance(error, (IndexError, struct.error)) or "indices must be" in str(error) or "closed file" in str(error)
    text = "" if named else error
    return f"{type(error).__name__}: {text} {type(error.__cause__).__name__}"


def run(name, case, *arguments):
    if child(name):
        try:
            value = case(*arguments)
            outcome = show(asyncio.run(value) if asyncio.iscoroutine(value) else value)
        except Exception as error:
            outcome = broken_by(error)
        finish(name, outcome, *arguments)


PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "file")


def written(content="1\n22\n3\n\n40\n5\n"):
    with open(PATH, "w") as f:
        f.write(content)
    return PATH


def broken():
    with open(PATH, "wb") as f:
        f.write(b"1\n" * 3 + b"\xff\n" + b"2\n")
    return PATH
