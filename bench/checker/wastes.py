"""Statements each made for one rule or a few, with what could make the fix wrong about them.

`programs` takes them among others. What they go over, look up and put in comes from there.
"""

import textwrap


class Wastes:
    """What a case can waste in a way of its own."""

    def body(self, *lines):
        """An indented block."""
        return textwrap.indent("\n".join(lines), "    ")

    def within(self, make):
        """What `make` makes for the inside of a loop."""
        self.inside += 1
        made = make()
        self.inside -= 1
        return made

    def grown(self):
        """A value made anew at every step of a loop."""
        kind = self.pick("s", "xs", "d", "t")
        name, x = self.new(kind), lambda: self.with_x(lambda: self.num(1))
        self.names[kind].remove(name)
        start = {
            "s": ["''", "str(n)", "text"], "xs": ["[]", "list(arg)", "arg", "[1, 2]"],
            "d": ["{}", "dict(table)", "table"], "t": ["set()", "set(range(n))", "{60, 32, 8}"],
        }[kind]
        step = {
            "s": lambda: f"{name} = {name} + {self.pick(f'str({x()})', f'{name}[:1]', 'chr(65)')} + {self.pick(f'str({x()})', repr(','))}",
            "xs": lambda: f"{name} = {name} + {self.pick(f'[{x()}]', f'[{x()}, len({name})]', f'list({self.source(0)})', f'[y for y in {self.source(0)}]', f'{name}[1:]')}",
            "d": lambda: f"{name} = {{**{name}, {x()}: {self.pick(x, f'len({name})', f'[{x()}]', f'list({name})', f'{name}.keys()')}}}",
            "t": lambda: f"{name} = {name} | {self.pick(f'{{{x()}}}', f'{{{x()} * 7 % 45}}', f'set({self.source(0)})', f'{{y for y in {self.source(0)}}}', f'{{len({name})}}')}",
        }[kind]
        trap = lambda: self.pick(
            (9, "pass"), f"keep = {name}", f"keep = iter({name})", f"note(len({name}))", f"note({name})", f"keep = (y for y in {name})",
            f"keep = lambda: {name}", f"COUNTER.append({name})", f"keep = [{name}, 1]", f"for y in {name}:\n    {step()}", self.simple)
        lines = [f"{name} = {self.pick(*start)}", trap()]
        inner = self.within(lambda: [step(), *([trap()] if self.chance(50) else [])])
        lines.append(f"for x in {self.source(0)}:\n{self.body(*inner)}")
        if any("keep" in line for line in lines) and self.chance(80):
            lines.insert(0, "keep = ()")
            lines.append("note(keep() if callable(keep) else keep)")
        return "\n".join([*lines, self.told(name)])

    def told(self, name):
        """A statement that shows what a name refers to, by a function that is known or one that is not."""
        return self.pick((4, f"print({name}, end=' ')"), f"note({name})", (3, f"print(len({name}), end=' ')"), f"print(3 in {name}, end=' ')", "pass")

    def matched(self):
        """All matches of a pattern."""
        pattern = self.pick("'[0-9]'", r"r'\d+'", "'x*'", r"r'(\d)\d?'", r"rb'\d'", "'['", r"r'(?i:\w)'", r"r'[^(]'")
        text = self.pick(lambda: self.old("s"), "text", f"str({self.num(1)} + 120)", "str(arg)", "' '.join(words)", "bytes(range(40, 60))")
        found = f"re.findall({pattern}, {text}{self.pick((4, ''), ', re.ASCII')})"
        body = self.within(lambda: self.pick("note(x)", "note(x)", "break", f"{self.old('s')} = 'none'", self.simple, "boom(len(x))"))
        return self.pick(
            (3, f"for x in {found}:\n{self.body('note(x)', body)}"), f"note([len(x) for x in {found}])", f"note(sum(int(x) for x in {found}))",
            f"note({{x: len(x) for x in {found}}})", f"for i, x in enumerate({found}):\n{self.body(body)}")

    def copied_deep(self):
        """A deep copy of what holds nothing that changes."""
        value = self.pick("{'a': 1, 'b': None}", "[0, 1.0, 'a']", "{1, 2, 3}", "{'a': n}", "[(), 1]", "{'a': []}", "{}")
        change = self.pick("row.clear()", "note(row)", "note(row is template)", "row.pop()", "row['a'] = [x]", "row['a'].append(x)")
        trap = self.pick((3, "pass"), "other = template", "note(template)", "pass", "template = [[1]]", "rows = [template]", "note(len(template))")
        made = self.pick((3, f"for x in {self.source(0)}:\n{self.body('row = copy.deepcopy(template)', change)}"),
                         f"note([copy.deepcopy(template) for _ in {self.source(0)}])")
        return f"template = {value}\n{trap}\n{made}\n{self.told('template')}"

    def transferred(self):
        """A file read as a whole, to be written or hashed."""
        mode = self.pick((6, "'rb'"), "'r+b'", "'r'", "'ab'", "'wb'", "'rb', buffering=0")
        out = self.pick((5, "'wb'"), "'xb'", "'ab'", "'w'", "'r+b'", "'w+b'")
        where = self.pick((5, "PATH + '.copy'"), "PATH")
        before = self.pick((4, "pass"), "f.read(1)", "f.readline()", "out.write(b'head')", "f.seek(0, 2)", "f.seek(2)", "out.close()", "f.close()")
        sha = self.pick("md5", "sha256", "blake2b")
        work = self.pick((3, "out.write(f.read())"), f"note(hashlib.{sha}(f.read()).hexdigest())", f'note(f"{{hashlib.{sha}(f.read()).hexdigest()}}")', f"note(hashlib.{sha}(f.read(), usedforsecurity=False).digest())",
                         f"hashlib.{sha}(f.read())")
        after = self.pick((3, "pass"), "note(f.read())", "note(f.tell())", "note(out.tell())", "f.seek(0)\nout.write(f.read())", f"out.write(f.read())")
        with_both = f"with open({self.pick('written()', 'broken()')}, {mode}) as f, open({where}, {out}) as out:"
        return f"{with_both}\n{self.body(before, work, *after.splitlines())}\nnote(open({where}, 'rb').read())"

    def measured(self):
        """A list of floats."""
        name, x = self.new("fs"), lambda: self.with_x(lambda: self.num(1))
        odd = lambda: self.pick((5, lambda: f"float({x()})"), lambda: f"{x()} / 2.0", "float('nan')", "float('inf')", "0.5", "math.sqrt(2)", lambda: f"math.sqrt({x()})", x)
        made = self.pick((3, lambda: f"[{odd()} for x in {self.source(0)}]"), lambda: f"list(map(float, {self.source(0)}))", "[]",
                         "[float(w) for w in words]", "[float(x) for x in text.split()]")
        use = lambda: self.pick(
            f"note(sum({name}))", f"note(max({name}))", f"note(sorted({name}))", f"note({name}[0])", f"note({name}[{self.num(1)}])", f"note(len({name}))",
            f"{name}.append({odd()})", f"{name}[{self.num(1)}] = {odd()}", f"for x in {name}:\n    note(x)", f"note([x * 2 for x in {name}])", f"if {name}:\n    note(1)",
            f"for i, x in enumerate({name}):\n    note(i + x)", f"note(list(zip({name}, {self.old('xs')})))", f"note(min({name}, default=0.0))",
            f"for x in {self.source(0)}:\n    {name}.append({odd()})", f"note(list(reversed({name})))")
        return "\n".join([f"{name} = {made}", *(use() for _ in range(4))])

    def text_parts(self):
        """A part of a text, got by way of more than that."""
        name = self.new("s")
        made = self.pick("'1,2, 3,,4'", "','.join(words)", "str(arg)", "str(n) + ',1,2'", "'a::b:c'", "text", "repr(table)", "b'1,2 3'", "open(written()).read()",
                         "open(written(), 'rb').read()", "' '.join(words) + ' x'")
        b = "b" if made.startswith("b'") or "'rb'" in made else self.pick((9, ""), "b")
        separator = lambda: self.pick("", "None", (3, f"{b}','"), f"{b}' '", f"{b}'::'", f"{b}''", f"{b}'{chr(92)}n'", f"words[0]")
        bound = lambda: self.pick((3, lambda: str(self.random.randint(0, 12))), lambda: f"len({name})", lambda: f"len({name}) - 2", lambda: self.num(1), lambda: f"len({name}) // 2")
        argument = lambda: self.pick((3, f"{b}'1'"), f"{b}''", f"({b}'1', {b}'2')", "words[0]", lambda: f"str({self.num(1)})", f"{b}', '")
        use = lambda: self.pick(
            (3, lambda: f"note({name}.split({separator()})[{self.pick(0, 0, 1, 2, 3, -1)}])"), lambda: f"note({name}[{bound()}:].{self.pick('startswith', 'count')}({argument()}))",
            lambda: f"if {name}[{bound()}:].startswith({argument()}):\n    note(1)", lambda: f"note({name}.rsplit({separator()})[-1])",
            lambda: f"note(({name}[{bound()}:]).startswith(({argument()})))",
            lambda: f"for x in {name}.splitlines():\n    note(x)", lambda: f"for x in {name}.split({b}'{chr(92)}n'):\n    note(x)", lambda: f"note(sorted({name}.split({separator()}))[:2])")
        return "\n".join([f"{name} = {made}", use(), use()])

    def unpacked(self):
        """A number in the middle of a buffer."""
        name = self.new("b")
        made = self.pick("bytes(range(n + 5))", "b'abcdef' * 3", "bytes(arg)", "bytearray(range(9))", "struct.pack('<3H', 1, 2, 3)", "memoryview(b'abcdef')")
        layout = self.pick("'<B'", "'<H'", "'>I'", "'0s'", "'<2B'", "''", "'<' + 'B'")
        at = lambda: self.pick((3, lambda: str(self.random.randint(0, 9))), lambda: f"len({name}) - 1", lambda: f"len({name}) // 2", lambda: self.num(1), "n % 3")
        use = lambda: self.pick(f"note(struct.unpack_from({layout}, {name}[{at()}:]))", f"note(struct.Struct({layout}).unpack_from({name}[{at()}:])[0])",
                                f"note(struct.unpack_from({layout}, {name}[{at()}:], 1))", f"note(struct.unpack_from({layout}, ({name}[{at()}:])))")
        return "\n".join([f"{name} = {made}", use(), self.pick("pass", use)])

    def flattened(self):
        """Lists added to each other, and a few of many sorted."""
        lists = self.pick(lambda: f"[[x, {self.num(1)}] for x in {self.source(0)}]", lambda: f"([{self.num(1)}] for x in {self.source(0)})", lambda: self.old("rows"),
                          lambda: f"[(x,) for x in {self.source(0)}]", lambda: f"[list({self.source(0)}) for x in {self.source(0)}]",
                          lambda: f"(line.split() for line in {self.pick('words', 'open(written())')})")
        items = self.pick(lambda: f"range({self.num(1)})", lambda: self.with_x(self.items), "words", "text.split()", lambda: f"[str(x) for x in {self.source(0)}]",
                          lambda: f"[len(str(x)) for x in {self.source(0)}]", lambda: self.source(0), lambda: f"(x % 3 for x in range({self.num(1)}))")
        return self.pick(f"note(sum({lists}, {self.pick('[]', '[]', '()')}))", f"{self.new('xs')} = sum({lists}, [])",
                         f"note(sorted({items}{self.pick((3, ''), ', reverse=True', ', key=str')})[:{self.pick(1, 2, 3, 30)}])")

    def filled(self):
        """A container of its own that is given many items at once."""
        kind, method, made = self.random.choice([
            ("xs", "extend", ["[]", "list(arg)"]), ("t", "update", ["set()"]), ("d", "update", ["{}", "dict(table)"]),
            ("b", "extend", ["bytearray()"]),
        ])
        name = self.new(kind)
        self.names[kind].remove(name)
        items = lambda: f"[(x, {self.with_x(self.num)}) for x in {self.source()}]" if kind == "d" else self.items()
        trap = lambda: self.pick((6, "pass"), f"note({name})", f"keep = {name}", f"note(len({name}))", self.simple)
        lines = [f"{name} = {self.pick(*made)}", trap(), f"{name}.{method}({items()})", trap()]
        if self.chance(50):
            lines.append(f"for x in {self.source(0)}:\n{self.body(self.within(lambda: f'{name}.{method}({items()})'))}")
        text = "\n".join(lines)
        if self.chance(30):
            text = f"try:\n{self.body(text)}\nexcept Exception as error:\n    note(type(error).__name__)"
            return f"{name} = None\n{text}\n{self.told(f'list({name} or [])')}"
        return f"{text}\n{self.told(name)}"
