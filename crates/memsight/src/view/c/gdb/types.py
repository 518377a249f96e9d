"""The types of a program's variables, as memsight is told of them."""

import gdb


def signed(number):
    """As 64 bits with a sign hold it."""
    return (int(number) + (1 << 63)) % (1 << 64) - (1 << 63)


class Types:
    """The types that variables have, each described once."""

    def __init__(self):
        self.ids = {}
        self.sizes = {}
        self.new = []

    def name(self, kind):
        code = kind.code
        if code == gdb.TYPE_CODE_PTR and kind.name is None:
            target = kind.target()
            if target.strip_typedefs().code == gdb.TYPE_CODE_FUNC and target.name is None:
                return str(kind)
            inner = self.name(target)
            return inner + ("*" if inner.endswith("*") else " *")
        if code == gdb.TYPE_CODE_ARRAY and kind.name is None:
            counts = []
            while kind.code == gdb.TYPE_CODE_ARRAY and kind.name is None:
                counts.append("[%s]" % (self.count(kind) or ""))
                kind = kind.target()
            return self.name(kind) + " " + "".join(counts)
        word = {gdb.TYPE_CODE_STRUCT: "struct", gdb.TYPE_CODE_UNION: "union", gdb.TYPE_CODE_ENUM: "enum"}.get(code)
        if word:
            constant = "const " if str(kind).startswith("const ") else ""
            return constant + word + " " + (kind.tag or "{…}")
        if code == gdb.TYPE_CODE_TYPEDEF:
            return kind.name or str(kind)
        return str(kind)

    def count(self, kind):
        try:
            low, high = kind.range()
        except gdb.error:
            return 0
        return max(0, high - low + 1)

    def id(self, kind):
        plain = kind.strip_typedefs()
        name = self.name(kind)
        key = name
        if plain.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION) and not plain.tag:
            key += repr([(field.name, self.name(field.type)) for field in plain.fields()])
        if key in self.ids:
            return self.ids[key]
        number = self.ids[key] = len(self.ids)
        self.new.append(None)
        place = len(self.new) - 1
        described = self.describe(plain, name)
        self.sizes[number] = plain.sizeof or 0
        described.update(id=number, name=name, bytes=plain.sizeof or 0)
        self.new[place] = described
        return number

    def describe(self, plain, name):
        code = plain.code
        if code in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_BOOL, gdb.TYPE_CODE_CHAR):
            words = plain.unqualified().name or ""
            if words == "_Bool" or code == gdb.TYPE_CODE_BOOL:
                return {"kind": "bool"}
            if words == "char":
                return {"kind": "char"}
            return {"kind": "unsigned" if "unsigned" in words else "signed"}
        if code == gdb.TYPE_CODE_FLT:
            return {"kind": "float"}
        if code == gdb.TYPE_CODE_ENUM:
            return {"kind": "enum", "values": [[field.name, signed(field.enumval)] for field in plain.fields()]}
        if code == gdb.TYPE_CODE_PTR:
            target = plain.target().strip_typedefs()
            if target.code == gdb.TYPE_CODE_FUNC:
                return {"kind": "function"}
            return {"kind": "pointer", "to": None if target.code == gdb.TYPE_CODE_VOID else self.id(plain.target())}
        if code == gdb.TYPE_CODE_ARRAY:
            return {"kind": "array", "of": self.id(plain.target()), "count": self.count(plain)}
        if code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION):
            # The C library's own, as what a FILE is: nobody's business.
            if (plain.tag or "").startswith("_"):
                return {"kind": "closed"}
            fields = []
            for field in plain.fields():
                if hasattr(field, "bitpos"):
                    fields.append([field.name or "", field.bitpos, field.bitsize, self.id(field.type)])
            return {"kind": "struct" if code == gdb.TYPE_CODE_STRUCT else "union", "fields": fields}
        return {"kind": "closed"}
