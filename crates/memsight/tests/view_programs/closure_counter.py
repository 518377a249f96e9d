def counter(start):
    count = start

    def step(by=1):
        nonlocal count
        count += by
        return count

    return step


one = counter(1000)
other = counter(5000)
print(one(), one(5), other(), one.__closure__[0].cell_contents)
del one
print(other())
