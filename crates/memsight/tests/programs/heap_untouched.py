"""What a program sees change in itself from before the snapshot to after it."""

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
        atexit.register(self.look_before)

    def look_before(self):
        self.before = self.look()

    # What it needs later it has itself: then the modules are taken apart.
    def look(self, sys=sys, gc=gc, len=len):
        counts = [sys.getallocatedblocks(), len(gc.get_objects())]
        return counts + [sys.getrefcount(one) for one in self.watched]

    def __del__(self, gc=gc, write=os.write, zip=zip):
        # How many blocks the interpreter itself has differs from run to run; what came
        # and went since the program's end does not.
        changes = [after - before for after, before in zip(self.look(), self.before)]
        write(1, f"{changes} {gc.get_count()} {gc.get_stats()} {gc.isenabled()}\n".encode())


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
observer = Observer(text, number, rows, rows[5], plain, plain[5], plain[5].y, slots, generator, Plain, len)
