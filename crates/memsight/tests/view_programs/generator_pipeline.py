def numbers():
    for number in range(1000, 1006):
        yield number


def even(source):
    for number in source:
        if number % 2 == 0:
            yield number


def text(source):
    for number in source:
        yield "<%d>" % number


print("".join(text(even(numbers()))))
