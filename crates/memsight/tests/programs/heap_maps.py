"""Maps of the sizes of Python's arenas that are none, some of which cannot be read; lists
that keep arenas; a child."""
import ctypes
import mmap
import os

libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
READ_WRITE, PRIVATE_ANONYMOUS = 3, 0x22
MAPS = []
for size in (256 << 10, 1 << 20):
    # Of zeroes, of text, without access, with a hole that has none, for writing only.
    MAPS.append(mmap.mmap(-1, size, flags=PRIVATE_ANONYMOUS))
    MAPS.append(mmap.mmap(-1, size, flags=PRIVATE_ANONYMOUS))
    MAPS[-1][:] = b"text" * (size // 4)
    for start, length, access in ((0, size, 0), (size // 2, 4096, 0), (0, size, 2)):
        address = libc.mmap(None, size, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0)
        assert libc.mprotect(address + start, length, access) == 0

KEPT = []


def work():
    junk = []
    for number in range(40000):
        junk.append([None] * 20)
        if number % 1000 == 0:
            KEPT.append([number] * 20)


work()
pid = os.fork()
if pid == 0:
    raise SystemExit(0)
os.waitpid(pid, 0)
print(pid)
