"""`__del__`, weak reference callbacks and `gc.callbacks` run in the middle of other code."""
import gc
import weakref

log = []


class Node:
    def __init__(self, number):
        self.number = number
        self.me = self
        self.more = [number]

    def __del__(self):
        log.append([self.number, str(self.number)])
        inner = [Plain() for _ in range(2)]
        if self.number % 10 == 0:
            log.append(inner)
        del log[:-50]


class Plain:
    def __del__(self):
        log.append({"plain": [1]})


def died(reference):
    log.append([reference, "died"])


def collecting(phase, facts):
    log.append([phase, dict(facts)])


gc.callbacks.append(collecting)
gc.set_threshold(50, 3, 3)


def made(depth, number):
    if depth:
        return made(depth - 1, number)
    node = Node(number)
    return [weakref.ref(node, died), Plain()]


references = []
for number in range(2_000):
    references += made(number % 13, number)
    del references[:-40]
    references = [one for one in references]
gc.callbacks.remove(collecting)
gc.collect()


def closing():
    try:
        yield [1]
    finally:
        log.append([str(number) for number in range(3)])


for _ in range(200):
    cycle = [closing()]
    next(cycle[0])
    cycle.append(cycle)
gc.collect()
