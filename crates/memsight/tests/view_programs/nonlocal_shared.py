def account():
    balance = 0
    history = []

    def pay(amount):
        nonlocal balance
        balance += amount
        history.append(balance)

    def show():
        return balance, list(history)

    return pay, show


pay, show = account()
for amount in (1000, -250, 4000):
    pay(amount)
print(show())
