"""Exceptions in a list: each keeps the frames it went through, and their local variables."""

ERRORS = []


def parse(number):
    text = bytearray(20_000)
    raise ValueError(f"line {number}: {len(text)}")


for number in range(100):
    try:
        parse(number)
    except ValueError as error:
        ERRORS.append(error)
