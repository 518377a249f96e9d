class Point:
    dimensions = 2

    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __repr__(self):
        return "Point(%r, %r)" % (self.x, self.y)

    def moved(self, by):
        return Point(self.x + by, self.y + by)


points = [Point(1000, 2000)]
points.append(points[0].moved(500))
points[0].z = 5
del points[0].x
print(points[1], vars(points[0]), Point.dimensions)
