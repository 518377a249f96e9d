import atexit


def last(word):
    print("at exit:", word)


atexit.register(last, "first registered")
atexit.register(lambda: print("at exit: a lambda"))
print("main is over")
