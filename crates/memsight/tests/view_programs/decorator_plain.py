def traced(function):
    calls = []

    def wrapper(*args, **kwargs):
        calls.append(args)
        return function(*args, **kwargs)

    wrapper.calls = calls
    return wrapper


@traced
def add(a, b=1000):
    return a + b


print(add(1), add(2, b=3), add.calls)
