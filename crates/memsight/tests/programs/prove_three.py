"""Three findings: one worth fixing, one whose fix shows, one that never runs."""


def doubled_total(count):
    return sum([number * 2 for number in range(count)])


def told(number):
    print("made", number)
    return number


def listed():
    numbers = list(map(told, range(5)))
    for number in numbers:
        print("took", number)


def most(count):
    return max([number * 2 for number in range(count)])


print(doubled_total(50_000))
listed()
