def count(start, end):
    print("begins")
    number = start
    while number < end:
        got = yield number
        if got:
            number = got
        number += 1
    return "done"


numbers = count(1000, 1010)
print(next(numbers), next(numbers), numbers.send(1008))
try:
    next(numbers)
except StopIteration as stop:
    print(stop.value)
