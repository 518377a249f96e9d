"""Deep stacks: 5,000 frames, and 20,000 where Python frames need no C stack."""
import sys

sys.setrecursionlimit(60_000)


def down(depth, every, kept):
    if depth % every == 0:
        kept.append([depth])
    if depth:
        down(depth - 1, every, kept)
    if depth % every == 0:
        kept.append({"back at": depth})


def left(depth):
    return [depth] if depth == 0 else right(depth - 1) + [bytearray(1)]


def right(depth):
    return [depth] if depth == 0 else left(depth - 1) + [bytearray(2)]


def walk(tree):
    if tree:
        yield from walk(tree[0])
        yield [tree[1]]
        yield from walk(tree[2])


down(1_500, 100, [])
for _ in range(4):
    down(300, 3, [])
    left(60)
if sys.version_info >= (3, 11):
    down(5_000, 500, [])
tree = None
for number in range(60):
    tree = (tree, number, None)
assert len(list(walk(tree))) == 60


def endless(depth):
    return endless([depth])


sys.setrecursionlimit(300)
for _ in range(2):
    try:
        endless(0)
    except RecursionError as error:
        text = str(error)
