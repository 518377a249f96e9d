import contextlib


@contextlib.contextmanager
def tag(name, out):
    out.append("<%s>" % name)
    try:
        yield len(out)
    finally:
        out.append("</%s>" % name)


out = []
with tag("p", out) as depth:
    with tag("b", out):
        out.append("text")
with contextlib.suppress(ValueError), tag("i", out):
    raise ValueError
print("".join(out), depth)
