"""About a million allocations and frees a second, from many lines: `steady.py SECONDS`.

It prints how long its own capture has become as it goes, if MEMSIGHT_STEADY_CAPTURE
names the file: how a capture grows with the time that it covers.
"""

import json
import os
import random
import sys
import time

chance = random.Random(1)
cache = {}


def rows(number):
    return [{"id": number + n, "name": str(n)} for n in range(20)]


def text(number):
    return json.dumps(rows(number))


def parsed(number):
    return json.loads(text(number))


def kept(number):
    cache[number % 500] = rows(number)
    return cache.get(chance.randrange(500))


def nested(number, depth=6):
    return [nested(number, depth - 1), [number]] if depth else kept(number)


def joined(number):
    return " ".join(str(n) for n in range(number % 60)).split()


WORK = [rows, text, parsed, kept, nested, joined]
# One turn makes about 930 objects and frees as many.
TURNS_A_SECOND = 550


def main(seconds):
    capture = os.environ.get("MEMSIGHT_STEADY_CAPTURE")
    started, turns, next_line = time.monotonic(), 0, 1
    while True:
        elapsed = time.monotonic() - started
        if elapsed >= seconds:
            break
        if capture and elapsed >= next_line:
            print(f"{elapsed:6.1f} s  {os.path.getsize(capture) / 1000:10.0f} kB  {turns} turns", flush=True)
            next_line *= 2
        while turns < elapsed * TURNS_A_SECOND:
            for work in WORK:
                work(turns)
            turns += 1
        time.sleep(0.001)
    print(f"{turns} turns in {seconds:.0f} s")


main(float(sys.argv[1]))
