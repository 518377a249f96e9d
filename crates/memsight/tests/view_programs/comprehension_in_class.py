class Grid:
    size = 2
    cells = [(row, column) for row in range(size) for column in range(2)]


def local_scope():
    factor = 1000
    return [factor * number for number in range(3)], [name for name in sorted(locals())]


print(Grid.cells, local_scope()[0])
