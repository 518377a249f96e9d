import os
import signal

got = []


def handle(number, frame):
    got.append((number == signal.SIGUSR1, frame is not None))


signal.signal(signal.SIGUSR1, handle)
os.kill(os.getpid(), signal.SIGUSR1)
print(got)
