"""The functions of the program's own files, and calls of them."""

import gdb

# How a function ends without optimisation, and how far from its end its frame is still whole:
# leave or pop %rbp, ret; ldp x29, x30, ret.
EPILOGUES = [(b"\xc9\xc3", 2), (b"\x5d\xc3", 2), (b"\xc0\x03\x5f\xd6", 8)]


class Function:
    """A function of the program's own files."""

    def __init__(self, number, block, symtab, optimised):
        self.number = number
        self.block = block
        self.name = block.function.name
        self.file = symtab.fullname()
        self.low, self.high = block.start, block.end
        self.optimised = optimised
        self.entries = []
        self.blocks = {}
        self.variables = None
        self.dynamic = []

    def prepare(self, inferior):
        """Where its body begins, and where it returns: what it returns is known there."""
        self.entries.sort()
        if not self.optimised:
            end = bytes(inferior.read_memory(self.high - 4, 4))
            # Where a function is one line, gdb has one entry for its body and its return.
            for last, before in EPILOGUES:
                if end.endswith(last) and self.entries[-1][0] < self.high - before:
                    self.entries.append((self.high - before, self.entries[-1][1]))
        later = [pc for pc, _ in self.entries if pc > self.low]
        self.body = later[0] if later else self.low
        self.last, self.last_line = self.entries[-1]

    def describe(self, types, frame, cfa):
        """Its variables. Without optimisation they lie at the same distance from every frame's beginning."""
        self.variables = []
        for block in self.blocks.values():
            for symbol in block:
                if not (symbol.is_variable or symbol.is_argument):
                    continue
                entry = {"name": symbol.name, "argument": symbol.is_argument, "line": symbol.line,
                         "from": block.start, "to": block.end}
                try:
                    if getattr(symbol.type, "dynamic", False) or (self.optimised and symbol.needs_frame):
                        self.dynamic.append((symbol, block))
                        continue
                    value = symbol.value(frame) if symbol.needs_frame else symbol.value()
                    address = value.address
                    if address is None:
                        self.dynamic.append((symbol, block))
                        continue
                    entry["type"] = types.id(symbol.type)
                except (gdb.error, RuntimeError, ValueError):
                    continue
                if symbol.needs_frame:
                    entry["offset"] = int(address) - cfa
                else:
                    entry["address"] = int(address)
                self.variables.append(entry)
        try:
            target = self.block.function.type.target()
            returns = None if target.strip_typedefs().code == gdb.TYPE_CODE_VOID else types.id(target)
        except (gdb.error, RuntimeError):
            returns = None
        return {"number": self.number, "name": self.name, "file": self.file, "low": self.low,
                "line": self.block.function.line, "variables": self.variables, "returns": returns}


class Frame:
    """A call that has not returned."""

    __slots__ = ("id", "function", "cfa", "pc", "line", "over", "extra")

    def __init__(self, number, function, cfa):
        self.id, self.function, self.cfa = number, function, cfa
        self.over = False
        self.extra = []
