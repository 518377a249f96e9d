import weakref


class Thing:
    pass


gone = []
thing = Thing()
ref = weakref.ref(thing, lambda dead: gone.append("called"))
table = weakref.WeakValueDictionary(kept=thing)
print(ref() is thing, list(table))
del thing
print(ref(), list(table), gone)
