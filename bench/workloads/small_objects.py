"""Small objects born and dying at a given stack depth: `small_objects.py DEPTH`.

A window of the newest thousand stays alive, so that most blocks are freed some
time after they were made, by another line than the one that made them.
"""

import sys

import _bench  # noqa: F401

OBJECTS = 4_000_000
WINDOW = 1_000


def churn(count):
    window = [None] * WINDOW
    for number in range(count):
        window[number % WINDOW] = [number, str(number)]
    return sum(item[0] for item in window)


def descend(depth, count):
    return churn(count) if depth <= 1 else descend(depth - 1, count)


sys.setrecursionlimit(10_000)
print(descend(int(sys.argv[1]), OBJECTS))
