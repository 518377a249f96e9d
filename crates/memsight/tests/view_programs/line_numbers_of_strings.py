text = """first
second
""" + "third"; lines = text.splitlines()
assert (
    len(lines)
    == 3
), lines
print(lines,
      text.count("\n"))
