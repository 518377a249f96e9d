class Broken:
    def __repr__(self):
        raise RuntimeError("no repr")

    def __eq__(self, other):
        raise RuntimeError("no eq")

    def __bool__(self):
        raise RuntimeError("no bool")

    __hash__ = object.__hash__


broken = Broken()
box = [broken, {broken: broken}]
print(len(box))
