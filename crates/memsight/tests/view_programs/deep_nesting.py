nested = []
for depth in range(3000): nested = [nested]
print(len(nested))
for depth in range(1500): nested = nested[0]
print(len(nested))
nested = None
print(nested)
