"""Loops by index and by item, and queues."""
import collections
import time

COUNT = 100_000
xs = [None] * COUNT


def timed(name, work):
    began = time.perf_counter()
    work()
    print(name, 1000 * (time.perf_counter() - began))


def pop_all(queue):
    while queue:
        queue.pop(0)


def pop_left(queue):
    while queue:
        queue.popleft()


# part: range_len
print("count", COUNT)
for i in range(len(xs)):  #: loop
    x = xs[i]
# part: items
for x in xs:  #: loop
    pass
# part: enumerate
for i, x in enumerate(xs):  #: loop
    pass
# part: list_range
for i in list(range(len(xs))):  #: loop
    x = xs[i]
# part: pop_first
queue = list(range(50_000))
print("queue", len(queue))
timed("pop_ms", lambda: pop_all(queue))  #: pop
# part: popleft
queue = collections.deque(range(50_000))
timed("pop_ms", lambda: pop_left(queue))  #: pop
