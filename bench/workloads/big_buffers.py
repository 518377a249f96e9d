"""Buffers of 64 kB to 1 MB, filled, copied and joined: few allocations, many bytes."""

import _bench  # noqa: F401

ROUNDS = 2_000
KB = 1024


def one_round(number):
    size = 64 * KB << number % 5
    buffer = bytearray(size)
    buffer[::KB] = bytes([number % 251]) * (size // KB)
    half = bytes(buffer[: size // 2])
    return half.count(number % 251) + len(half + half)


print(sum(one_round(number) for number in range(ROUNDS)))
