memo = {}


def fib(number):
    if number in memo:
        return memo[number]
    value = number if number < 2 else fib(number - 1) + fib(number - 2)
    memo[number] = value
    return value


print(fib(30), len(memo))
