def outer():
    def inner():
        return later

    try:
        inner()
    except NameError as error:
        print(type(error).__name__)
    later = ["now"]
    print(inner())
    del later
    try:
        inner()
    except NameError as error:
        print(type(error).__name__)


outer()
