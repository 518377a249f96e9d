def careful():
    held = ["resource"]
    try:
        while True:
            try:
                yield held
            except ValueError as error:
                print("caught", error)
    finally:
        print("closing", held)


one = careful()
print(next(one))
print(one.throw(ValueError("thrown in")))
one.close()
two = careful()
next(two)
del two
three = careful()
three.close()
