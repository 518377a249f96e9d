class Plugin:
    found = {}

    def __init_subclass__(cls, key, **rest):
        super().__init_subclass__(**rest)
        Plugin.found[key] = cls


class Csv(Plugin, key="csv"):
    pass


print({key: found.__name__ for key, found in Plugin.found.items()})
