class Countdown:
    def __init__(self, start):
        self.now = start

    def __iter__(self):
        return self

    def __next__(self):
        if self.now == 0:
            raise StopIteration
        self.now -= 1
        return self.now


print(list(Countdown(4)), sum(Countdown(5)), 2 in Countdown(4))
for number in Countdown(2):
    print(number)
else:
    print("no more")
