"""A heap with known duplicates, a cycle that is garbage, and blocks of one size class."""
import gc
import sys

gc.disable()


class Holder:
    pass


# A hundred equal strings and fifty equal bytes, made one by one. The dash keeps
# them from being names, and join from being constants.
TEXTS = ["-".join(["duplicate text", "of forty-one characters"]) for _ in range(100)]
BYTES = [b"".join([b"raw \x00\xff", b"content " * 4]) for _ in range(50)]
# The same string a hundred times, and strings that only begin alike.
ONE = ["".join(["one", " string"])] * 100
ALIKE = ["x" * 70 + str(number) for number in range(100)]
# Interned: one of each already.
NAMES = [sys.intern("interned name %d" % (number % 3)) for number in range(30)]

# Garbage that the collector has not taken.
first, second = Holder(), Holder()
first.other, second.other = second, first
del first, second

# 20,000 bytes objects of 33 + 215 = 248 bytes each, in the class of 256, which few others
# use; of each 500 one is kept.
MADE = [b"%0215d" % number for number in range(20000)]
KEPT = MADE[::500]
del MADE

print(sys.getsizeof(TEXTS[0]), sys.getsizeof(BYTES[0]), len(KEPT))
# To stderr: what the allocator itself says.
sys._debugmallocstats()
