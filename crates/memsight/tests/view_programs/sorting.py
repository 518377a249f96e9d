rows = [("pear", 3000), ("fig", 1000), ("apple", 3000)]
print(sorted(rows, key=lambda row: (-row[1], row[0])))
rows.sort(key=lambda row: len(row[0]), reverse=True)
print(rows, max(rows, key=lambda row: row[1]))
try:
    sorted([1, "a"])
except TypeError:
    print("cannot be compared")
