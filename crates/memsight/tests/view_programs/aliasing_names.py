a = [1000, 2000]
b = a
b.append(3000)
print(a is b, a)
b = b + [4000]
print(a is b, a, b)
a = b = None
print(a, b)
