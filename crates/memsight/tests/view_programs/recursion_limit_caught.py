import sys

sys.setrecursionlimit(120)


def down(depth):
    return down(depth + 1)


try:
    down(0)
except RecursionError as error:
    print("caught", type(error).__name__)
sys.setrecursionlimit(1000)
