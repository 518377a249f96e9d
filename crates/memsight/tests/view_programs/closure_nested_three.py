def one(a):
    def two(b):
        def three(c):
            return (a, b, c)

        return three

    return two


add = one([1])([2])
print(add([3]), len(add.__closure__))
