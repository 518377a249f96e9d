"""Five habits that cost memory, each in a small task that one meets in real code.

Every function below is wasteful on purpose and gives the right answer. Record
the program and see which lines pay:

    memsight run examples/five_practices.py
"""

import random

READINGS = 200_000


# Practice 1: a slice is a copy. Pass the list and two indices instead.


def largest_fall(prices):
    """The largest fall of price between a day and a later one, by halving."""
    if len(prices) < 2:
        return 0
    middle = len(prices) // 2
    before, after = prices[:middle], prices[middle:]
    across = max(before) - min(after)
    return max(largest_fall(before), largest_fall(after), across)


def checksums_of_packets(stream, header=4):
    """Sums of the packets in `stream`, each behind a length of four bytes."""
    sums = []
    while stream:
        length = int.from_bytes(stream[:header], "big")
        sums.append(sum(stream[header : header + length]))
        stream = stream[header + length :]
    return sums


# Practice 2: go over the items, not over a list of their numbers.


def busy_hours(visits):
    """Hours with more visits than the hour before."""
    numbers = list(range(len(visits)))
    rising = [number for number in numbers if number > 0 and visits[number] > visits[number - 1]]
    return len([visits[rising[number]] for number in range(len(rising))])


# Practice 3: do not build text or bytes piece by piece with `+`.


class Page:
    """A page that is written row by row. CPython can extend a string in place
    only when a local variable alone holds it, which an attribute is not."""

    def __init__(self):
        self.html = ""

    def add_row(self, cells):
        row = "<tr>"
        for cell in cells:
            row = row + "<td>" + str(cell) + "</td>"
        self.html = self.html + row + "</tr>\n"


def page_of(readings):
    page = Page()
    for number, reading in enumerate(readings):
        page.add_row((number, reading))
    return page.html


def joined_frames(frames):
    """Frames of bytes, one behind the other. Bytes are never extended in place."""
    out = {"body": b""}
    for frame in frames:
        out["body"] = out["body"] + frame
    return out["body"]


# Practice 4: where each item is used once, an iterator will do.


def longest_line(path):
    """The length of a file's longest line, by way of two lists of all lines."""
    with open(path, encoding="utf-8") as file:
        lines = file.readlines()
    stripped = list(map(str.strip, lines))
    return max([len(line) for line in stripped])


def squares_of_even(numbers):
    even = [number for number in numbers if number % 2 == 0]
    squares = [number * number for number in even]
    return sum(squares)


# Practice 5: a type of the library does it with less.


def mean_temperature(readings):
    """A list holds a whole object for each number; `array` holds eight bytes."""
    temperatures = [float(reading) / 10 for reading in readings]
    return round(sum(temperatures) / len(temperatures), 3)


def served_in_order(customers):
    """`pop(0)` moves the whole queue up by one; `collections.deque` does not."""
    queue = [{"number": number} for number in range(customers)]
    total = 0
    while queue:
        total += queue.pop(0)["number"] * len(queue)
    return total


def ten_hottest(readings):
    """Sorts a copy of everything for the sake of ten; `heapq.nlargest` keeps ten."""
    return sorted(readings, reverse=True)[:10]


def words_counted(text):
    """Counts by keeping every word's every position; `collections.Counter` keeps a number."""
    positions = {}
    for position, word in enumerate(text.split()):
        positions.setdefault(word, []).append(position)
    return max((len(found), word) for word, found in positions.items())


def packets(random_numbers, count):
    bodies = [random_numbers.randbytes(random_numbers.randrange(200)) for _ in range(count)]
    return b"".join(len(body).to_bytes(4, "big") + body for body in bodies)


def main():
    chance = random.Random(1)
    readings = [chance.randrange(-200, 400) for _ in range(READINGS)]
    words = " ".join(chance.choice("the a heap stack frame block".split()) for _ in range(READINGS // 4))
    print("practice 1  slices copy")
    print("  largest fall      ", largest_fall(readings))
    print("  packet sums       ", sum(checksums_of_packets(packets(chance, 2_000))))
    print("practice 2  numbers instead of items")
    print("  busy hours        ", busy_hours(readings))
    print("practice 3  built with +")
    print("  page of           ", len(page_of(readings[:3_000])), "characters")
    print("  joined frames     ", len(joined_frames([bytes(256)] * 2_000)), "bytes")
    print("practice 4  whole lists")
    print("  longest line      ", longest_line(__file__))
    print("  squares of even   ", squares_of_even(range(3 * READINGS)))
    print("practice 5  by hand")
    print("  mean temperature  ", mean_temperature(readings))
    print("  served in order   ", served_in_order(20_000))
    print("  ten hottest       ", ten_hottest(readings))
    print("  commonest word    ", words_counted(words))


if __name__ == "__main__":
    main()
