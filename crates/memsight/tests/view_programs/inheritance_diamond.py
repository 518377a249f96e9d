class Base:
    def visit(self):
        return ["base"]


class Left(Base):
    def visit(self):
        return ["left"] + super().visit()


class Right(Base):
    def visit(self):
        return ["right"] + super().visit()


class Bottom(Left, Right):
    def visit(self):
        return ["bottom"] + super().visit()


print(Bottom().visit())
