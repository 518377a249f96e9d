left, right = ["l"], ["r"]
left, right = right, left
print(left, right)
(left[0], right[0]) = (right[0], left[0])
print(left, right)
first, *rest, last = range(1000, 1006)
print(first, rest, last)
