"""Function calls and little else: the cost of watching a program that hardly allocates."""

import _bench  # noqa: F401


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


print(fib(34))
