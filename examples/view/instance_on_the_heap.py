"""Local variables are in a frame of the stack and go with it; the objects that
they refer to are on the heap and stay for as long as something refers to them.

    memsight view examples/view/instance_on_the_heap.py
"""


class Account:
    def __init__(self, owner, cents):
        self.owner = owner
        self.cents = cents

    def pay_in(self, cents):
        before = self.cents
        self.cents = before + cents  # a new number; the old one has no attribute any more
        return before


def open_account(owner):
    cents = 100_00
    account = Account(owner, cents)
    account.pay_in(50_00)
    return account  # the frame goes, the account stays


def forget_one():
    account = open_account("Ben-Ali")
    cents = account.cents
    return cents  # freed: Account


kept = open_account("Ada-May")
lost = forget_one()
print(kept.owner, kept.cents, lost)
del kept  # freed: Account
