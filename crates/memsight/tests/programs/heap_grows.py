"""Keeps more and more rows until a file appears beside it, and says how many."""

import os
import sys
import time

STOP = sys.argv[1]


class Row:
    def __init__(self, number):
        self.number = number


class Shelf:
    def __init__(self):
        self.rows = []


SHELF = Shelf()
print(os.getpid(), flush=True)
while not os.path.exists(STOP):
    for number in range(50):
        SHELF.rows.append(Row(number))
    time.sleep(0.002)
print(len(SHELF.rows))
