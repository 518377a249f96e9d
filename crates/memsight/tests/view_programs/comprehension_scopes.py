x = "outer-x"
squares = [x * x for x in range(1000, 1003)]
print(x, squares)
table = {key: [value for value in range(key)] for key in range(3)}
print(table, {len(word) for word in ("a", "bb", "cc")})
print([(row, column) for row in range(2) for column in range(3) if row != column])
