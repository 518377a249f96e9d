"""A document to text and back, many times over: C code that makes many objects at once."""

import json

import _bench  # noqa: F401

ROUNDS = 90


def document():
    return {
        "orders": [
            {
                "id": number,
                "name": f"customer {number % 97}",
                "lines": [{"article": f"A{number * line}", "price": line * 1.25} for line in range(4)],
                "paid": number % 3 == 0,
                "note": None,
            }
            for number in range(1_000)
        ]
    }


data = document()
length = 0
for _ in range(ROUNDS):
    text = json.dumps(data)
    length += len(text)
    data = json.loads(text)
print(length)
