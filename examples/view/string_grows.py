"""What `+=` does to a string: sometimes a new object, sometimes the same one, longer.

A string never changes for anyone who can see it. CPython may lengthen one in
place if a single local variable refers to it, since then nobody can tell.

    memsight view examples/view/string_grows.py
"""


def grown_alone(words):
    text = "".join(["to", "-"])
    for word in words:
        text += word  # nobody else refers to it
    return text


def grown_while_shared(words):
    text = "".join(["to", "-"])
    for word in words:
        before = text  # a second reference
        text += word  # so this makes a new string
    return text


fruit = "".join(["app", "le"])
snack = fruit
fruit += "sauce"  # a new string at a new address; `snack` keeps the old one
snack = None  # freed: str

words = ["ab", "cd", "ef", "gh", "ij", "kl"]
alone = grown_alone(words)
shared = grown_while_shared(words)
print(fruit, alone, shared)
