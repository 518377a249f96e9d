import json

depth = 700
nested = json.loads("[" * depth + "]" * depth)
print(len(nested))
while depth > 650:
    nested = nested[0] if nested else nested
    depth -= 1
nested = None
print(nested)
