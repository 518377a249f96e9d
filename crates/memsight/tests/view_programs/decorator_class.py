class Cached:
    def __init__(self, function):
        self.function = function
        self.results = {}

    def __call__(self, key):
        if key not in self.results:
            self.results[key] = self.function(key)
        return self.results[key]


@Cached
def square(number):
    return number * number


print(square(1000), square(1000), square.results)
