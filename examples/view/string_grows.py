"""What `+=` does to a string: sometimes a new object, sometimes the same one, longer.

A string never changes for anyone who can see it. CPython may lengthen one in
place if a single local variable refers to it, since then nobody can tell. It begins
to do so when it has seen the line a few times, from 3.11 on.

    memsight view examples/view/string_grows.py
"""


def grown_alone(times):
    text = "".join(["to", "-"])
    for _ in range(times):
        text += "ab"  # nobody else refers to it
    return text


def grown_while_shared(times):
    text = "".join(["to", "-"])
    for _ in range(times):
        before = text  # a second reference
        text += "ab"  # so this makes a new string
    return text


fruit = "".join(["app", "le"])
snack = fruit
fruit += "sauce"  # a new string at a new address; `snack` keeps the old one
snack = None  # freed: str

alone = grown_alone(16)
shared = grown_while_shared(16)
print(fruit, alone, shared)
