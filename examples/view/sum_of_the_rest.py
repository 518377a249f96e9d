"""Recursion on slices: each call holds a copy of the rest until it returns.

With indices, a call holds two numbers.

    memsight view examples/view/sum_of_the_rest.py
"""


def total(items):
    if not items:
        return 0
    rest = items[1:]  # a list that is shorter by one, for each call
    below = total(rest)
    return items[0] + below  # freed: list


def total_from(items, start):
    if start == len(items):
        return 0
    below = total_from(items, start + 1)
    return items[start] + below


numbers = [1001, 1002, 1003, 1004]
print(total(numbers))
print(total_from(numbers, 0))
