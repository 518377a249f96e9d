# since 3.11
def both():
    raise ExceptionGroup("two", [ValueError("v"), TypeError("t")])


try:
    both()
except* ValueError as group:
    print("values", group.exceptions)
except* TypeError as group:
    print("types", group.exceptions)
