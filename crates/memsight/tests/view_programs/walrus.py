data = iter([1000, 2000, 0, 3000])
found = []
while value := next(data):
    found.append(value)
print(found, value)
print([half for number in range(5) if (half := number // 2)], half)
