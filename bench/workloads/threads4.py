"""Four threads that make small objects at the same time."""

import threading

import _bench  # noqa: F401

THREADS = 4
OBJECTS = 800_000
WINDOW = 500


def churn(results, index):
    window = [None] * WINDOW
    for number in range(OBJECTS):
        window[number % WINDOW] = {"number": number, "text": str(number)}
    results[index] = sum(item["number"] for item in window)


results = [0] * THREADS
threads = [threading.Thread(target=churn, args=(results, index)) for index in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(results)
