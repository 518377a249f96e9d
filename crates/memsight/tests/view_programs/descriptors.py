class Positive:
    def __set_name__(self, owner, name):
        self.name = "_" + name

    def __get__(self, instance, owner):
        return getattr(instance, self.name)

    def __set__(self, instance, value):
        if value < 0:
            raise ValueError("negative")
        setattr(instance, self.name, value)


class Stock:
    amount = Positive()


stock = Stock()
stock.amount = 1500
try:
    stock.amount = -1
except ValueError as error:
    print(error)
print(stock.amount)
