"""A heap of about so many objects: instances with two attributes of their own each.

    python program.py OBJECTS [objgraph|guppy3|pympler|none]

Prints seconds that the tool took and by how many bytes the process grew, and last
the time on the clock, so that who waits for the end can tell how long it took.
"""

import gc
import sys
import time


class Point:
    def __init__(self, number):
        self.x = number
        self.y = number + 0.5


def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))


def count(tool):
    if tool == "objgraph":
        import objgraph

        return objgraph.typestats
    if tool == "guppy3":
        import guppy

        return lambda: repr(guppy.hpy().heap())
    if tool == "pympler":
        from pympler import muppy, summary

        return lambda: summary.summarize(muppy.get_objects())
    return lambda: None


def main():
    objects, tool = int(sys.argv[1]), sys.argv[2]
    points = [Point(number + 1000) for number in range(objects // 3)]
    look = count(tool)
    gc.collect()
    before, start = resident(), time.perf_counter()
    look()
    took = time.perf_counter() - start
    print(took, resident() - before, time.clock_gettime(time.CLOCK_MONOTONIC), flush=True)
    return points


points = main()
