class Phoenix:
    def __del__(self):
        ashes.append(self)


ashes = []
bird = Phoenix()
del bird
print(len(ashes), type(ashes[0]).__name__)
again = ashes.pop()
again = None
print(ashes)
