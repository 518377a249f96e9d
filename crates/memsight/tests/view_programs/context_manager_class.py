class Resource:
    def __enter__(self):
        print("open")
        return ["handle"]

    def __exit__(self, kind, error, traceback):
        print("close", kind.__name__ if kind else None)
        return kind is KeyError


with Resource() as handle:
    print(handle)
with Resource() as one, Resource() as two:
    print(one is two)
    raise KeyError("swallowed")
print("after")
