nested = []
for depth in range(3000):
    nested = [nested]
print(len(nested))
while nested:
    nested = nested[0]
print(nested)
