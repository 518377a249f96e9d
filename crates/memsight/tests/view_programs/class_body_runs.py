class Table:
    width = 3
    cells = [number * 1000 for number in range(width)]
    for cell in cells:
        last = cell
    if last > 1000:

        def area(self):
            return self.width * len(self.cells)

    del cell


print(Table().area(), Table.last, hasattr(Table, "cell"))
