import sys


def caller_names():
    frame = sys._getframe(1)
    try:
        return sorted(frame.f_locals)
    finally:
        del frame


def outer():
    alpha, beta = [1], [2]
    return caller_names(), sorted(locals())


print(outer())
