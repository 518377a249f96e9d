import sys

if __name__ == "__main__":
    import import_of_itself

    print(import_of_itself.__name__, import_of_itself.kept is not sys.modules["__main__"].__dict__.get("kept"))
else:
    kept = [1000]
