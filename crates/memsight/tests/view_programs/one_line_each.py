a = 1000; b = a + 1; print(a, b)
if a: b = [a]
for number in range(3): b.append(number)
def f(x): return x * 2
class C: y = 3000
print(f(a), C.y, b) if b else None
