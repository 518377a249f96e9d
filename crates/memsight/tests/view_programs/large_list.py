numbers = list(range(1000, 6000))
copied = numbers[10:]
total = sum(copied)
del numbers
print(total, len(copied))
text = "x" * 100000
text = None
print(text)
