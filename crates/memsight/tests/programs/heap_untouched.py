"""What a program sees of itself after the snapshot was taken: in a module's last moments."""

import atexit
import gc
import os
import sys


class Plain:
    pass


class Slots:
    __slots__ = ("x",)


class Observer:
    def __init__(self, *watched):
        self.watched = watched

    # What it needs it has itself: the modules are being taken apart.
    def __del__(self, sys=sys, gc=gc, write=os.write, Plain=Plain):
        seen = [sys.getallocatedblocks(), gc.get_count(), gc.get_stats(), gc.isenabled(), len(gc.get_objects())]
        seen += [sys.getrefcount(one) for one in self.watched]
        write(1, f"{seen}\n".encode())


@atexit.register
def at_exit():
    print(sys.getallocatedblocks(), gc.get_count(), gc.get_stats())


text, number, rows = "a text" * 3, 10**30, [[i] for i in range(1000)]
plain = [Plain() for _ in range(1000)]
for index, one in enumerate(plain):
    one.x, one.y = index, rows[index]
slots = [Slots() for _ in range(100)]
cycle = []
cycle.append(cycle)
del cycle
generator = (row for row in rows)
next(generator)
observer = Observer(text, number, rows, rows[5], plain, plain[5], plain[5].y, slots, generator, Plain, None, len)
