import functools


def repeat(times):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(*args):
            return [function(*args) for _ in range(times)]

        return wrapper

    return decorate


@repeat(3)
def shout(word):
    """Louder."""
    return word.upper()


print(shout("heap"), shout.__name__, shout.__doc__)
