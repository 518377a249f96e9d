table = {}
for number in range(40):
    table[number * 1000] = [number]
for number in range(0, 40, 2):
    del table[number * 1000]
print(len(table), table[39000], table.setdefault(0, "new"))
table.clear()
print(table)
