values = [
    1000,
    2000 + sum(
        number
        for number in range(3)
    ),
    max(
        [3000],
    )[0] if False else "text"
    " goes on",
]
total = (values[0]
         + values[1])
print(
    values,
    total,
)
