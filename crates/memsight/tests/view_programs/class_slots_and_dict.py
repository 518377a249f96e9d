class Base:
    __slots__ = ("base",)


class Both(Base):
    pass


both = Both()
both.base = [1000]
both.free = [2000]
print(both.base, both.free, both.__dict__)
