loop = [1, 2]
loop.append(loop)
print(loop, loop[2] is loop, len(loop[2][2]))
loop.pop()
table = {}
table["self"] = table
print(table)
table.clear()
print(loop, table)
