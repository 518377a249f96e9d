"""Cycles: what counting leaves, what the collector takes, and what it costs."""
import gc
import time

COUNT = 2_000


class Node:
    pass


def chain():
    node = Node()
    node.data = bytearray(1_000)  #: chain
    node.next = Node()


def ring():
    node = Node()
    node.data = bytearray(1_000)  #: ring
    node.next = Node()
    node.next.next = node


# part: chains
gc.disable()
for _ in range(COUNT):
    chain()
# part: rings
gc.disable()
for _ in range(COUNT):
    ring()
# part: collected
gc.disable()
gc.collect()
for _ in range(COUNT):
    ring()
print("count", COUNT)
print("found", gc.collect())
# part: on
gc.collect()
before = [each["collections"] for each in gc.get_stats()]
for _ in range(COUNT):
    ring()
after = [each["collections"] for each in gc.get_stats()]
print("young", after[0] - before[0])
print("middle", after[1] - before[1])
print("full", after[2] - before[2])
for name, threshold in zip(("first", "second", "third"), gc.get_threshold()):
    print("threshold_" + name, threshold)
# part: cost
gc.collect()
objects = [[] for _ in range(300_000)]
began = time.perf_counter()
found = gc.collect()
print("milliseconds", 1000 * (time.perf_counter() - began))
print("found", found)
print("objects", len(objects))
