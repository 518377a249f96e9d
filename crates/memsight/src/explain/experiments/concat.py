"""Text that grows piece by piece: in place, or copied at each step."""
import io

STEPS = 2_000
PIECES = 200_000
PIECE = "row of a table"


def watch():
    """A function that is told where the text is, and one that says how often it had moved."""
    moves = [0, 0]

    def at(address):
        moves[0] += address != moves[1]
        moves[1] = address

    return at, lambda: print("moved", moves[0])


def pieces(count):
    for i in range(count):
        yield "row %d of a table\n" % i


at, say = watch()
# part: local
print("steps", STEPS)


def grow():
    s = ""
    for i in range(STEPS):
        s += PIECE  #: grow
        at(id(s))


grow()
say()
# part: module
s = ""
for i in range(STEPS):
    s += PIECE  #: grow
    at(id(s))
say()
# part: global
s = ""


def grow():
    global s
    for i in range(STEPS):
        s += PIECE  #: grow
        at(id(s))


grow()
say()
# part: closure
def outer():
    s = ""

    def grow():
        nonlocal s
        for i in range(STEPS):
            s += PIECE  #: grow
            at(id(s))

    grow()


outer()
say()
# part: attribute
class Page:
    text = ""


page = Page()
for i in range(STEPS):
    page.text += PIECE  #: grow
    at(id(page.text))
say()
# part: item
texts = {"a": ""}
for i in range(STEPS):
    texts["a"] += PIECE  #: grow
    at(id(texts["a"]))
say()
# part: shared
def grow():
    s = ""
    for i in range(STEPS):
        other = s
        s += PIECE  #: grow
        at(id(s))


grow()
say()
# part: two_added
def grow():
    s = ""
    for i in range(STEPS):
        s = s + PIECE + ","  #: grow
        at(id(s))


grow()
say()
# part: prepended
def grow():
    s = ""
    for i in range(STEPS):
        s = PIECE + s  #: grow
        at(id(s))


grow()
say()
# part: formatted
def grow():
    s = ""
    for i in range(STEPS):
        s = f"{s}{PIECE}"  #: grow
        at(id(s))


grow()
say()
# part: bytes
def grow():
    s = b""
    for i in range(STEPS):
        s += b"row of a table"  #: grow
        at(id(s))


grow()
say()
# part: bytearray
def grow():
    s = bytearray()
    for i in range(STEPS):
        s += b"row of a table"  #: grow


grow()
# part: peak_local
print("pieces", PIECES)


def build():
    s = ""
    for piece in pieces(PIECES):
        s += piece  #: build
    print("length", len(s))


build()
# part: peak_join
def build():
    s = "".join([piece for piece in pieces(PIECES)])  #: build
    print("length", len(s))


build()
# part: peak_stringio
def build():
    out = io.StringIO()
    for piece in pieces(PIECES):
        out.write(piece)  #: build
    s = out.getvalue()  #: build
    print("length", len(s))


build()
