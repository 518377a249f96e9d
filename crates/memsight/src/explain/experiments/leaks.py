"""What stays alive since something still refers to it."""
import functools
import weakref

COUNT = 5_000
seen = []
prices = {}


def remember(number):
    seen.append("order %d" % number)  #: list


def price(number):
    if number not in prices:
        prices[number] = "price of %d" % number  #: dict
    return prices[number]


@functools.lru_cache(maxsize=None)
def unbounded(number):
    return "price of %d" % number  #: unbounded


@functools.lru_cache(maxsize=128)
def bounded(number):
    return "price of %d" % number  #: bounded


class Order:
    def __init__(self, number):
        self.text = "order %d" % number  #: weak


def local():
    orders = []
    for number in range(COUNT):
        orders.append("order %d" % number)  #: local


def failed():
    rows = bytearray(1_000_000)  #: traceback
    raise ValueError


# part: list
print("count", COUNT)
for number in range(COUNT):
    remember(number)
# part: local
local()
# part: dict
for number in range(COUNT):
    price(number)
# part: unbounded
for number in range(COUNT):
    unbounded(number)
# part: bounded
for number in range(COUNT):
    bounded(number)
# part: weak
orders = weakref.WeakValueDictionary()
for number in range(COUNT):
    order = orders[number] = Order(number)
# part: exception
errors = []
try:
    failed()
except ValueError as error:
    errors.append(error)
# part: without_traceback
errors = []
try:
    failed()
except ValueError as error:
    errors.append(error.with_traceback(None))
