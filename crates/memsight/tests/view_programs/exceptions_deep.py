def dive(depth):
    if depth == 0:
        raise LookupError("bottom")
    try:
        dive(depth - 1)
    finally:
        passed.append(depth)


passed = []
try:
    dive(6)
except LookupError as error:
    print(error, passed)
