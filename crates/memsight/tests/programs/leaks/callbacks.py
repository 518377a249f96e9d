"""A closure in a registry of callbacks keeps what it refers to."""


class Bus:
    callbacks = []


class Widget:
    def __init__(self):
        self.pixels = bytearray(20_000)


def show(widget):
    def redraw():
        return len(widget.pixels)

    Bus.callbacks.append(redraw)


for _ in range(100):
    show(Widget())
