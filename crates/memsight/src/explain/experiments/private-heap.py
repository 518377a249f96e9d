"""What CPython's allocator takes from the system, and what it hands out."""
import collections

SMALL = 50_000
LARGE = 5_000
# What a bytes object has beside its bytes.
HEAD = bytes().__sizeof__()


def blocks(size, count):
    return [bytes(size - HEAD) for _ in range(count)]  #: blocks


def spacing(objects):
    """The distance at which most of the objects stand, and how many stand so in a row."""
    at = sorted(map(id, objects))
    gaps = [b - a for a, b in zip(at, at[1:])]
    usual = collections.Counter(gaps).most_common(1)[0][0]
    rows = collections.Counter()
    row = 1
    for gap in gaps:
        if gap == usual:
            row += 1
        else:
            rows[row] += 1
            row = 1
    print("apart", usual)
    print("in_a_row", (rows.most_common(1) or [(len(at), 1)])[0][0])


# part: small
print("count", SMALL)
print("size", 133)
small = blocks(133, SMALL)
spacing(small)
# part: edge
spacing(blocks(512, 2_000))
# part: beyond
print("size", 528)
spacing(blocks(528, 2_000))
# part: large
print("count", LARGE)
print("size", 1_033)
large = blocks(1_033, LARGE)
# part: full
small = blocks(133, SMALL)
# part: holes
small = blocks(133, SMALL)
# One block in fifty stays, so that hardly a pool becomes empty.
small = small[::50]
print("left", len(small))
# part: empty
small = blocks(133, SMALL)
small = None
# part: some
some = blocks(512, 3_000)
# part: more
more = blocks(512, 6_000)
