import weakref


class Thing:
    pass


thing = Thing()
finalizer = weakref.finalize(thing, print, "finalized")
print(finalizer.alive)
thing = None
print(finalizer.alive)
