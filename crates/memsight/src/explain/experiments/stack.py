"""Frames: what a call takes, where it stands, and when it goes."""
import sys

DEPTH = 4_000
sys.setrecursionlimit(10 * DEPTH)
# Something to go down into that needs no memory of its own on the way.
nested = None
for _ in range(DEPTH):
    nested = (nested,)


def deep(inner):
    return deep(inner[0]) if inner else 0  #: call


def work():
    rows = [None] * 100_000  #: local
    return len(rows)


def endless():
    return endless()


# part: deep
print("depth", DEPTH)
deep(nested)
# part: twice
deep(nested)
deep(nested)
# part: locals
work()
# part: endless
sys.setrecursionlimit(1_000)
try:
    endless()
except RecursionError:
    print("stopped", 1)
