class Stack(list):
    def push(self, item):
        self.append(item)


class Defaults(dict):
    def __missing__(self, key):
        self[key] = [key]
        return self[key]


class Money(int):
    def __repr__(self):
        return "%d.00" % int(self)


stack = Stack([1000])
stack.push(2000)
table = Defaults()
print(stack, table["a-b"], table, Money(1200))
