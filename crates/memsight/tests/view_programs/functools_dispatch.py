import functools


@functools.singledispatch
def size(thing):
    return None


@size.register
def _(thing: list):
    return len(thing)


class Lazy:
    @functools.cached_property
    def value(self):
        print("once")
        return [1000]


lazy = Lazy()
print(size([1, 2]), size(5), lazy.value is lazy.value)
