from collections import namedtuple
from typing import NamedTuple

Point = namedtuple("Point", "x y", defaults=[0])


class Row(NamedTuple):
    key: str
    cells: list = []


point = Point(1000)._replace(y=2000)
x, y = point
row = Row("first")
row.cells.append(x + y)
print(point, row, Row("second").cells is row.cells)
