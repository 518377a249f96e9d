"""A list holds all of its items; a generator holds the one that it is at.

    memsight view examples/view/iterator_and_generator.py
"""


def squares_in_a_list(count):
    squares = []
    for number in range(1000, 1000 + count):
        squares.append(number * number)
    return squares


def squares_one_by_one(count):
    for number in range(1000, 1000 + count):
        square = number * number
        yield square  # the frame stays as it is until the next is asked for


at_once = squares_in_a_list(4)
walk = iter(at_once)  # an iterator: a place in the list, and a reference to it
first = next(walk)
at_once = None  # the iterator keeps the list alive
walk = None  # freed: list

lazy = squares_one_by_one(4)
second = next(lazy)
second = next(lazy)
total = sum(lazy)  # the others come and go
print(first, second, total)
lazy = None  # freed: generator
