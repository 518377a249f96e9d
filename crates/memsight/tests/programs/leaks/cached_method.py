"""`lru_cache` on a method: the cache is the class's, and keeps every instance it was called on."""
import functools


class Report:
    def __init__(self, number):
        self.rows = [number] * 2_000

    @functools.lru_cache(maxsize=None)
    def total(self):
        return sum(self.rows)


for number in range(100):
    Report(number).total()
