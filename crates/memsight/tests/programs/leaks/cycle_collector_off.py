"""A parent and its child refer to each other, and the collector is off."""
import gc

gc.disable()


class Parent:
    def __init__(self):
        self.child = Child(self)

    def __del__(self):
        pass


class Child:
    def __init__(self, parent):
        self.parent = parent
        self.data = bytearray(20_000)


for _ in range(100):
    Parent()
