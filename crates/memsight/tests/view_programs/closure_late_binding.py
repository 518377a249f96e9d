late = [lambda: number for number in range(3)]
early = [lambda number=number: number for number in range(3)]
print([function() for function in late])
print([function() for function in early])
