class Registry(type):
    known = []

    def __new__(meta, name, bases, body):
        body["tag"] = name.lower()
        made = super().__new__(meta, name, bases, body)
        meta.known.append(made)
        return made


class Model(metaclass=Registry):
    pass


class User(Model):
    pass


print([made.tag for made in Registry.known], type(User).__name__)
