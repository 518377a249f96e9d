import functools


@functools.lru_cache(maxsize=2)
def square(number):
    print("computing", number)
    return number * number


print([square(number) for number in (1000, 1000, 2000, 3000, 1000)])
print(square.cache_info().hits, functools.reduce(lambda a, b: a + b, [[1], [2]]))
add = functools.partial(max, 1000, key=None)
print(add(5000))
