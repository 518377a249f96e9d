def low():
    return {}["missing"]


def middle():
    try:
        low()
    except KeyError as error:
        raise ValueError("wrapped") from error


try:
    middle()
except ValueError as error:
    print(repr(error), repr(error.__cause__), error.__traceback__.tb_next is not None)
try:
    try:
        1 / 0
    finally:
        print("finally")
except ZeroDivisionError as error:
    kept = error
print(kept.__context__)
