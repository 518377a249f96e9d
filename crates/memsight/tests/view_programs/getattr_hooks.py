class Echo:
    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return name.upper()

    def __setattr__(self, name, value):
        object.__setattr__(self, name, [value])

    def __delattr__(self, name):
        print("del", name)
        object.__delattr__(self, name)


echo = Echo()
echo.kept = 1
print(echo.kept, echo.other)
del echo.kept
print(echo.kept)
