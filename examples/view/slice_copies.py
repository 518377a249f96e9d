"""A slice is a copy: another list, whose slots refer to the same objects.

    memsight view examples/view/slice_copies.py
"""


def first_half(prices):
    middle = len(prices) // 2
    half = prices[:middle]  # a second list; each price now has one reference more
    return half


prices = [1250, 1310, 1290, 1405]
same = prices  # no copy: two names for one list
half = first_half(prices)
half[0] = 9999  # changes the copy alone
same.append(1380)  # changes the list that both names refer to
print(prices, half)

prices = None  # `same` still refers to the list
same = None  # freed: list
print(half)
half.clear()  # its slots let go of the numbers
