def odd():
    for number in range(3):
        try:
            if number == 1:
                continue
            if number == 2:
                return "from try"
        finally:
            print("finally", number)
    return "never"


def overrides():
    try:
        raise KeyError("lost")
    except KeyError:
        return ["first"]
    finally:
        print("after the return")


print(odd(), overrides())
