class TooMuch(Exception):
    def __init__(self, amount):
        super().__init__("too much: %d" % amount)
        self.amount = amount


def check(amount):
    try:
        if amount > 1000:
            raise TooMuch(amount)
    except TooMuch as error:
        return error.amount
    else:
        return None
    finally:
        print("checked", amount)


print(check(500), check(5000))
