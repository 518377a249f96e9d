def area(radius):
    import math

    return round(math.pi * radius**2, 3)


try:
    import no_such_module_anywhere
except ImportError as error:
    print(type(error).__name__)
print(area(1000), "math" in globals())
