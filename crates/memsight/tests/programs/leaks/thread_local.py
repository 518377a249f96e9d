"""What a thread-local was given stays until its thread ends."""
import threading

local = threading.local()


def handle(number):
    if not hasattr(local, "requests"):
        local.requests = []
    local.requests.append(bytearray(20_000))


for number in range(100):
    handle(number)
