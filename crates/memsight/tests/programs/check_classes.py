"""Classes, metaclasses, decorators, `with`, nested comprehensions, pattern of calls through C."""
import collections
import contextlib
import dataclasses
import enum
import functools
import operator
import typing


class Meta(type):
    registry = []

    def __new__(meta, name, bases, space, **extra):
        made = super().__new__(meta, name, bases, dict(space, extra=[extra]))
        meta.registry.append(made)
        return made

    def __call__(cls, *arguments):
        return super().__call__(*arguments)

    @classmethod
    def __prepare__(meta, name, bases, **extra):
        return collections.OrderedDict(prepared=[name])


class Descriptor:
    def __set_name__(self, owner, name):
        self.names = [owner.__name__, name]

    def __get__(self, instance, owner):
        return self.names + [instance]


def repeated(times):
    def decorator(function):
        @functools.wraps(function)
        def around(*arguments, **named):
            return [function(*arguments, **named) for _ in range(times)]

        return around

    return decorator


@contextlib.contextmanager
def managed(number):
    held = [number]
    try:
        yield held
    except ZeroDivisionError as error:
        held.append(str(error))
    finally:
        held.append([held[0]])


def body(number):
    class Made(metaclass=Meta, number=number):
        described = Descriptor()

        def __init__(self, value):
            self.value = [value]

        @repeated(2)
        def method(self, *more):
            return [self.value, more, self.described]

        @property
        def asked(self):
            return [self.value]

        @functools.lru_cache(maxsize=5)
        def cached(self, key):
            return [key]

    made = Made(number)
    made.method(1, 2)
    for key in range(8):
        made.cached(key)
    return made.asked


for number in range(60):
    body(number)
    del Meta.registry[:-3]
    record = dataclasses.make_dataclass("Record", [("a", int), ("b", list, dataclasses.field(default_factory=list))])
    collections.namedtuple("Pair", "left right")(record(number), [number])
    enum.Enum("Colour", "red green")
for number in range(300):
    with managed(number) as outer, managed(number + 1) as inner, contextlib.ExitStack() as stack:
        stack.callback(outer.append, [1])
        stack.enter_context(managed(number))
        inner.append([[[x, y] for x in range(3) if [x]] for y in range(4)])
        inner.append({x: {y for y in range(x)} for x in range(4)})
        inner.append(sum(len([x] * y) for x in range(3) for y in range(3)))
        if number % 5 == 0:
            1 // 0
    ordered = sorted([[n, str(n)] for n in range(10)], key=lambda one: [-one[0]])
    functools.reduce(lambda left, right: left + [right], map(operator.itemgetter(0), ordered), [])
typing.get_type_hints(body)
