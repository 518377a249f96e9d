rows = [[0] * 3] * 2
rows[0][1] = 7
print(rows, rows[0] is rows[1])
rows = [[0] * 3 for _ in range(2)]
rows[0][1] = 7
print(rows, rows[0] is rows[1])
