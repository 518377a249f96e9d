class Animal:
    def __init__(self, name):
        self.name = name

    def speak(self):
        return self.name + " says"


class Dog(Animal):
    def __init__(self, name):
        super().__init__(name)
        self.legs = 4

    def speak(self):
        return super().speak() + " woof"


print(Dog("Rex-a").speak(), Dog.__mro__[1].__name__)
