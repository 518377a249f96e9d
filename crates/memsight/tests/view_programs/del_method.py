# stdout: partly
class Loud:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("bye", self.name)


one = Loud("one")
two = Loud("two")
one = None
two = Loud("three")
print("the last goes at the end")
