"""Makes random Python programs that run, out of what the rules look for and what makes their fixes wrong.

A program is a list of cases. Each is a function, method, class body or block of a module that makes some
values, goes over them in wasteful ways, and meanwhile changes, aliases, keeps and breaks things. What it
did is told by what it prints.
"""

import pathlib
import random
import textwrap

from wastes import Wastes

PRELUDE = pathlib.Path(__file__).with_name("prelude.py").read_text()

KINDS = ["function"] * 8 + ["generator", "coroutine", "method", "nested", "class", "module", "static"]


class Case(Wastes):
    """One case: its text, made by taking one thing after another by chance."""

    def __init__(self, number, seed):
        self.random = random.Random(f"{seed}/{number}")
        self.number = number
        self.kind = self.random.choice(KINDS)
        self.plain = self.kind not in ("module", "class")
        self.names = {}
        self.made = 0
        self.comments = 0
        self.inside = 0
        # Half of the programs do little that could forbid a fix.
        self.calm = self.chance(50)
        self.text = self.make()

    def pick(self, *options):
        """One of some options; an option `(n, option)` counts n times."""
        weights = [option[0] if isinstance(option, tuple) else 1 for option in options]
        option = self.random.choices(options, weights)[0]
        option = option[1] if isinstance(option, tuple) else option
        return option() if callable(option) else option

    def chance(self, percent):
        return self.random.random() * 100 < percent

    def new(self, kind):
        self.made += 1
        name = f"{kind}{self.made}" + (f"_{self.number}" if self.kind in ("module", "class") else "")
        self.names.setdefault(kind, []).append(name)
        return name

    def old(self, kind, otherwise=None):
        names = self.names.get(kind)
        if names:
            return self.random.choice(names)
        if otherwise:
            return otherwise()
        return {"rows": "[arg, [1]]", "it": "iter(arg)"}.get(kind) if kind in ("rows", "it") and self.plain else self.old("xs")

    def make(self):
        arguments = {"n": "n", "xs": "arg", "d": "table", "s": "text", "ws": "words"}
        if self.kind in ("module", "class"):
            head = [f"n = {self.random.randint(4, 9)}", "arg = list(range(n))", "table = dict(zip(arg, arg))",
                    "text = ' 1 2 3 4 '", "words = text.split()"]
            head = [line.replace("arg", f"arg_{self.number}").replace("table", f"table_{self.number}") for line in head]
            arguments.update(xs=f"arg_{self.number}", d=f"table_{self.number}")
        else:
            head = []
        self.names = {kind: [name] for kind, name in arguments.items()}
        self.names["x"] = ["n"]
        body = head + self.some(self.setup, 1, 3) + self.some(self.statement, 1, 3)
        name, parameters = f"case_{self.number}", "n, arg, table, text, words"
        everything = ", ".join(sum((self.names.get(kind, []) for kind in ("xs", "ys", "d", "s", "t")), [])[-6:])
        result = f"return [{everything}]" if self.chance(50) else f"return {self.value()}"
        block = lambda lines: textwrap.indent("\n".join(lines), "    ")
        if self.kind == "module":
            lines = ["try:", block(body), "except Exception as error:", "    note(broken_by(error))",
                     f"finish({name!r}, '', *[globals().get(name) for name in {everything.split(', ')!r}])"]
            return f"if child({name!r}):\n{block(lines)}"
        if self.kind == "class":
            inner = block(["class Body:", block(body), "return {k: show(v) for k, v in vars(Body).items() if k[0] != '_'}"])
            return f"def {name}():\n{inner}\nrun({name!r}, {name})"
        if self.kind == "generator":
            body.insert(self.place(body), f"yield {self.value()}")
        if self.kind == "coroutine":
            body.insert(self.place(body), "await asyncio.sleep(0)")
        if self.kind == "nested":
            body = ["def inner():", block([*body, result]), "return inner()"]
        else:
            body.append(result)
        word = "async def" if self.kind == "coroutine" else "def"
        first = {"method": "self, ", "static": ""}.get(self.kind, "")
        lines = [f"{word} {name}({first}{parameters}):", block(body)]
        called = name
        if self.kind in ("method", "static"):
            decorator = ["    @staticmethod"] if self.kind == "static" else []
            lines = [f"class Holder{self.number}:", *decorator, block(lines)]
            called = f"Holder{self.number}().{name}"
        given = self.pick((3, "list(range(n))"), "OddList(range(n))", "tuple(range(n))", "[5, 3, 3, 4, 1]", "[[1], [2, 3], 4]")
        table = self.pick((3, "dict(zip(range(n), range(1, 9)))"), "OddDict({1: 2, 2: 3, 3: 4})")
        text = self.pick((3, "'1 2 3,4 5'"), "OddText('1 2 3')")
        for n in self.random.sample(range(10), 2):
            lines.append(f"n = {n}\nrun({name!r}, {called}, n, {given}, {table}, {text}, ['1', '22', '3'])")
        return "\n".join(lines)

    def place(self, body):
        """Where a statement can stand in a body."""
        whole = [at for at, line in enumerate(body) if line[:1].isalpha() and line.split()[0].rstrip(":") not in ("else", "except", "finally")]
        return self.random.choice([0, len(body), *whole])

    def some(self, maker, low, high):
        lines = []
        for _ in range(self.random.randint(low, high)):
            made = maker()
            if self.chance(8) and "\n" not in made:
                self.comments += 1
                made += f"  # comment {self.number}.{self.comments}"
            lines += made.split("\n")
        return lines

    def block(self, low=1, high=2):
        self.inside += 1
        lines = self.some(self.statement if self.inside < 3 else self.simple, low, high)
        self.inside -= 1
        return textwrap.indent("\n".join(lines), "    ")

    def setup(self):
        made = self.pick(
            (6, lambda: ("xs", self.pick("list(range(n))", "[i % 4 for i in range(n)]", "sorted(arg, key=str)", "list(arg)",
                                         "arg", "[1, 2] * n", "[]", "list(range(5, n))", "[int(w) for w in words]"))),
            (1, lambda: ("d", self.pick("{i: i % 3 for i in range(n)}", "dict(table)", "table", "dict.fromkeys(range(n), 1)"))),
            (1, lambda: ("t", self.pick("{i % 5 for i in range(n)}", "set()", "set(range(n))"))),
            (1, lambda: ("s", self.pick("''", "'ab' * n", "str(n)", "text", "text + ''"))),
            (1, lambda: ("b", self.pick("bytes(range(n))", "bytearray(range(n))", "bytearray(b'abc') * n"))),
            (1, lambda: ("ws", self.pick("text.split()", "[str(i) for i in range(n)]", "'a,b,1,2'.split(',')"))),
            (1, lambda: ("it", self.pick(lambda: f"iter({self.old('xs')})", lambda: f"lazily({self.old('xs')})",
                                         lambda: f"enumerate({self.old('xs')})", lambda: f"({self.num()} for x in {self.old('xs')})"))),
            (1, lambda: ("rows", self.pick(lambda: f"[{self.old('xs')}, {self.old('xs')}]", "[[i, i + 1] for i in range(n)]",
                                           "[list(range(3)) for _ in range(n)]"))),
            (1, lambda: ("flags", self.pick("[False] * (n + 1)", "[0] * n", "[True] * len(words)", "[0] * (n - 3)"))),
            (2, lambda: ("ys", self.items())),
            (1, lambda: ("xs", self.old("xs"))),
        )
        kind, value = made
        kind = "xs" if kind == "ys" and self.chance(30) else kind
        return f"{self.new(kind)} = {value}"

    # Numbers.

    def num(self, depth=2):
        a = lambda: self.num(depth - 1)
        xs = lambda: self.old("xs")
        if depth <= 0:
            return self.pick((4, lambda: self.old("x")), (2, lambda: self.names["x"][-1]), (2, lambda: str(self.random.randint(-2, 6))), "n")
        if self.calm and self.chance(85):
            return self.pick((6, a), lambda: f"{a()} + {a()}", lambda: f"{a()} * 2", lambda: f"{a()} % 5", lambda: f"abs({a()})", lambda: f"-{a()}",
                             lambda: f"{a()} // 2", lambda: f"len({xs()})", lambda: f"({a()} if {a()} > 2 else {a()})", lambda: f"len(str({a()}))")
        return self.pick(
            (12, a), (3, lambda: f"{a()} + {a()}"), (2, lambda: f"{a()} * 2"), (2, lambda: f"{a()} % 5"),
            (2, lambda: f"len({xs()})"), lambda: f"10 // ({a()} - 3)", lambda: f"{xs()}[0]", lambda: f"{xs()}[-1]",
            lambda: f"{self.old('d')}[{a()}]", lambda: f"{self.old('d')}.get({a()}, 0)", lambda: f"note({a()})",
            lambda: f"boom({a()})", lambda: f"stop({a()})", lambda: f"int(str({a()}))", lambda: f"next({self.old('it')})",
            lambda: f"{xs()}.pop()", *([lambda: f"({self.walrus()} := {a()})"] if self.kind != "class" else []), lambda: f"{xs()}.append({a()})",
            lambda: f"shrink({xs()})", lambda: f"(lambda: {a()})()", lambda: f"sum({self.items(depth - 1)})",
            lambda: f"{self.old('f', lambda: 'len')}({xs()})", lambda: f"{xs()}.index({a()})", lambda: f"ord({self.old('s')}[0])",
            lambda: f"struct.unpack_from('<B', {self.old('b')}[{a()}:])[0]", lambda: f"abs({a()})", lambda: f"-{a()}",
            lambda: f"({a()} if {a()} else {a()})", lambda: f"divmod({a()}, 3)[0]", lambda: f"{self.old('rows')}[0][0]",
        )

    def walrus(self):
        return "n" if self.kind in ("class", "module") or self.chance(50) else "last"

    def test(self):
        x = lambda: self.num(1)
        return self.pick((3, x), lambda: f"{x()} > {x()}", lambda: f"{x()} == 3", lambda: f"{x()} in {self.copied()}",
                         lambda: f"{x()} not in {self.old('xs')}[1:]", lambda: f"any({self.items()})", lambda: f"all({self.items()})",
                         lambda: f"not {self.old('xs')}", lambda: f"{self.old('flags')}[{x()}]", lambda: f"note({x()}) < 3")

    # Things to go over.

    def bound(self):
        return self.pick((5, lambda: str(self.random.randint(0, 5))), "n", lambda: f"len({self.old('xs')})", lambda: self.num(1), "-2",
                         lambda: f"len({self.old('xs')}) // 2")

    def copied(self):
        xs = lambda: self.pick((4, lambda: self.old("xs")), lambda: self.old("ys"), lambda: self.old("b"), lambda: f"{self.old('rows')}[0]")
        return self.pick((3, lambda: f"{xs()}[{self.bound()}:]"), lambda: f"{xs()}[:{self.bound()}]", lambda: f"{xs()}[1:{self.bound()}:2]",
                         (2, lambda: f"{xs()}[:]"), (2, lambda: f"{xs()}[::-1]"), lambda: f"list({xs()})", lambda: f"tuple({xs()})",
                         lambda: f"{xs()}.copy()", lambda: f"sorted({xs()})[:{self.bound()}]", lambda: f"list({self.old('d')})",
                         lambda: f"list({self.old('d')}.values())", lambda: f"list({self.old('d')}.keys())", lambda: f"list({self.old('t')})")

    def source(self, depth=1):
        xs = lambda: self.old("xs")
        return self.pick((6, xs), (2, lambda: self.old("ys")), (6, self.copied), (2, lambda: f"range({self.num(1)})"), lambda: f"range(len({xs()}))",
                         lambda: self.old("d"), lambda: f"{self.old('d')}.values()", lambda: self.old("t"), lambda: self.old("it"),
                         lambda: f"lazily({xs()})", lambda: f"reversed({xs()})", lambda: f"list(map({self.mapped()}, {xs()}))",
                         lambda: f"filter(None, {xs()})", lambda: f"list(reversed({xs()}))", lambda: f"map({self.mapped()}, {self.copied()})",
                         lambda: f"list(range({self.num(1)}))", lambda: f"list(filter(None, {xs()}))", lambda: self.old("b"),
                         *([(4, lambda: self.items(depth - 1))] if depth > 0 else []))

    def mapped(self):
        return self.pick("abs", "int", "note", "boom", "str", lambda: self.old("f", lambda: "shrink"), lambda: "float")

    def with_x(self, make):
        """What `make` makes while `x` is a number."""
        self.names["x"].append("x")
        self.names["x"].append("x")
        made = make()
        del self.names["x"][-2:]
        return made

    def items(self, depth=1):
        """A list comprehension, or what does duty for one."""
        source = self.source(depth)
        element = self.with_x(lambda: self.num(2))
        tail = "".join(f" if {self.with_x(self.test)}" for _ in range(self.chance(30)))
        if self.chance(15):
            tail += f" for y in {self.with_x(lambda: self.source(0))}"
        if self.chance(12):
            pairs = self.pick(lambda: f"zip({self.old('xs')}, {self.copied()})", lambda: f"enumerate({self.source(0)})",
                              lambda: f"list({self.old('d')}.items())", lambda: (lambda a: f"zip({a}, {a}[1:])")(self.old("xs")))
            return f"[{element} + y for x, y in {pairs}{tail}]"
        if self.chance(4):
            self.comments += 1
            return f"[  # comment {self.number}.{self.comments}\n        {element} for x in {source}{tail}\n    ]"
        return self.pick((9, f"[{element} for x in {source}{tail}]"), f"({element} for x in {source}{tail})")

    def value(self):
        it = lambda: self.pick((5, self.items), (3, self.copied), lambda: self.source())
        name = self.pick("sum", "max", "min", "any", "all", "set", "tuple", "frozenset", "sorted", "list", "len", "bytes", "bytearray",
                         "collections.Counter", "collections.deque", "math.fsum")
        key = self.with_x(lambda: f", key=lambda x: {self.num(1)}") if name in ("max", "min", "sorted") and self.chance(30) else ""
        if name in ("max", "min") and self.chance(20):
            key += ", default=0"
        return self.pick(
            (9, lambda: f"{name}({it()}{key})"),
            lambda: f"dict([(x, {self.num(1)}) for x in {self.source()}])", lambda: f"','.join([str(x) for x in {self.source()}])",
            lambda: f"len([x for x in {self.source()} if {self.with_x(self.test)}])", lambda: f"next(iter({it()}))",
            lambda: f"[{self.with_x(lambda: self.num())} for x in {it()}]", lambda: f"list(zip({it()}, {it()}))",
            lambda: (lambda a: f"list(zip({a}, {a}[1:]))")(self.old("xs")), lambda: f"{self.num()} in {self.copied()}",
            lambda: f"sum({self.old('rows')}, [])", lambda: f"sum([[x] for x in {self.source()}], [])", lambda: f"copy.deepcopy({self.old('xs')})",
            lambda: f"{self.old('s')}[{self.bound()}:].startswith('1')", lambda: f"{self.old('s')}.split(' ')[{self.bound()}]",
            lambda: f"[{self.old('xs')}[i] for i in range(len({self.old('xs')}))]", lambda: f"sum(list({self.source(0)}))",
            lambda: f"max(tuple({self.source()}))", lambda: f"sorted(list({self.source()}))", lambda: f"sorted({it()})[:{self.bound()}]",
            lambda: f"list(enumerate({it()}))", lambda: f"{self.old('s')}[{self.bound()}:].count('1')", lambda: f"dict(zip({it()}, {it()}))",
        )

    # Statements.

    def simple(self):
        xs, x = lambda: self.old("xs"), self.num
        place = lambda: self.pick((4, xs), lambda: self.old("ys"), lambda: self.old("rows"))
        if self.calm and self.chance(70):
            return self.pick("pass", (3, lambda: f"{place()}.append({x()})"), (2, lambda: f"{self.old('d')}[{x()}] = {x()}"), lambda: f"{self.old('t')}.add({x()})",
                             lambda: f"n = {x()}", lambda: f'note(f"{{{self.value()}}}")', lambda: f"{self.old('s')} += str({x()})", (2, lambda: f"note({x()})"), lambda: f"if {self.test()}: {self.leave()}",
                             lambda: f"{self.new('keep')} = {self.pick(self.items, self.value)}")
        return self.pick(
            (4, lambda: f"note({self.pick(x, self.value)})"), (2, lambda: f'note(f"{{{self.value()}}} {{{x()}!r:>3}}")'), (2, lambda: f"print({self.pick(x, self.value)}, end=' ')"),
            (2, lambda: f"{place()}.append({x()})"), lambda: f"{place()}.pop()", (2, lambda: f"{xs()}.pop(0)"), lambda: f"{xs()}.insert(0, {x()})",
            lambda: f"{place()}.extend({self.items()})", lambda: f"{xs()}.extend({self.source()})", lambda: f"{xs()}.clear()",
            lambda: f"del {place()}[0]", lambda: f"{xs()}[{x(1)}] = {x()}", lambda: f"{xs()}[{x(1)}] += 1", lambda: f"shrink({place()})",
            lambda: f"{xs()} += [{x()}]", (2, lambda: f"{self.old('s')} += str({x()})"), lambda: f"{self.old('d')}[{x()}] = {x()}",
            lambda: f"{self.old('d')}.pop({x()}, None)", lambda: f"{self.old('t')}.add({x()})", lambda: f"{self.old('t')}.update({self.items()})",
            lambda: f"{self.old('d')}.update([(x, 1) for x in {self.source()}])", lambda: f"{self.old('flags')}[{x(1)}] = {self.pick('True', '1', self.test)}",
            lambda: f"{self.old('b')}.extend({self.items()})", lambda: f"{self.new('xs')} = {self.pick(xs, self.copied)}",
            lambda: self.again("s", lambda s: f"{s} = {s} + str({x(1)}) + ','"), lambda: self.again("xs", lambda s: f"{s} = {s} + [{x(1)}]"),
            lambda: self.again("xs", lambda s: f"{s} = {s} + {self.source()}"), lambda: self.again("d", lambda s: f"{s} = {{**{s}, {x(1)}: {x(1)}}}"),
            lambda: self.again("t", lambda s: f"{s} = {s} | {{{x(1)}}}"), lambda: self.again("xs", lambda s: f"{s} = {s}[{self.bound()}:]"),
            lambda: self.again("b", lambda s: f"{s} = {s}[{self.bound()}:]"), lambda: self.again("xs", lambda s: f"{s} = {s}[:{self.bound()}]"),
            lambda: f"{self.old('rows')}.append({xs()})", lambda: f"a, *{self.new('xs')} = {self.copied()}", lambda: f"a, b = {self.copied()}",
            lambda: f"if {self.test()}: {self.leave()}", lambda: self.old("s"), lambda: f"n = {x()}", lambda: f"boom({x()})",
            lambda: f"{self.new('keep')} = {self.pick('iter', 'reversed', 'enumerate')}({xs()})", lambda: f"note({self.old('keep')})",
            lambda: f"{self.new('keep')} = {self.pick(self.items, self.value)}", lambda: f"{self.new('keep')} = {self.old('d')}.items()",
        )

    def again(self, kind, make):
        return make(self.old(kind)) if self.names.get(kind) else "pass"

    def leave(self):
        return self.pick("pass", "raise KeyError(1)", *(["break", "continue", "break"] if self.inside else []),
                         *([] if self.kind in ("class", "module") else ["return 1" if self.kind != "generator" else "return"]))

    def used_once(self):
        name, made = self.new("ys"), self.pick((4, self.items), lambda: f"list(map({self.mapped()}, {self.source()}))",
                                               lambda: f"list(zip({self.old('xs')}, {self.copied()}))")
        self.names["ys"].remove(name)
        use = self.pick(lambda: f"for x in {name}:\n{self.looped()}", lambda: f"note({self.pick('sum', 'max', 'set', 'any', 'tuple', 'len')}({name}))",
                        lambda: f"{self.old('xs')}.extend({name})", lambda: f"note([{self.with_x(self.num)} for x in {name}])",
                        lambda: f"for x, y in zip({name}, {self.copied()}):\n{self.looped()}", lambda: f"for i, x in enumerate({name}):\n{self.looped()}",
                        lambda: f"note(sum({name}) + {self.num()})", lambda: f"note({self.num()} + sum({name}))", lambda: f"note({self.num()} in {name})")
        return f"{name} = {made}\n{use}"

    def looped(self):
        return self.with_x(self.block)

    def queue(self):
        name, todo = self.new("q"), self.pick(f"[{self.num()}]", self.items, self.copied, "[]", f"list({self.source()})")
        item = self.pick(f"{name}.pop(0)", f"{name}.pop(0)", f"{name}[0]")
        used = lambda: self.pick((4, "pass"), (4, f"{name}.append(x - 1)"), f"if x > 2: {name}.extend([x - 3, x - 2])", f"{name}.insert(0, x - 2)", f"{name}.insert(0, {name}.pop({self.pick('', 0)}))", f"note({name}[-1])",
                                 f"note(len({name}))", f"{name}.extend({self.old('xs')})", f"{name}.pop()", f"{name} += [1]", f"note({name})",
                                 f"if not {name}: break", f"{name}.extend({name})", f"del {name}[0]", f"note(3 in {name})")
        body = [f"x = {item}", *(self.pick(used, self.simple) for _ in range(3))]
        self.inside += 1
        text = textwrap.indent("\n".join(body), "    ")
        self.inside -= 1
        return f"{name} = {todo}\nfor _ in range(n + 5):\n    if not {name}:\n        break\n{text}"

    def flagged(self):
        name = self.new("flags")
        made = self.pick("[False] * (n + 1)", "[0] * n", "[True] * len(words)", "[True] * (n - 4)", f"[False] * len({self.old('xs')})", "[False] * int(n)")
        uses = [lambda: f"{name}[{self.num(1)}] = {self.pick('True', '0', self.test)}", lambda: f"if {name}[{self.num(1)}]:\n    note(1)",
                lambda: f"note(sum({name}))", lambda: f"if {name}[{self.num(1)}] == 1:\n    note(2)", lambda: f"note(len({name}))",
                lambda: f"note({name}.count(True))", lambda: f"for i, x in enumerate({name}):\n    if x:\n        note(i)", lambda: f"note(any({name}))",
                lambda: f"{name}[1:3] = [True] * {self.num(1)}", lambda: f"note([i for i, x in enumerate({name}) if x])", lambda: f"note({name}[1:])",
                lambda: f"note({name}[0])", lambda: f"note(1 if {name}[{self.num(1)}] else 2)", lambda: f"{name}[::2] = [True] * len({name}[::2])"]
        lines = [f"{name} = {made}", *(self.pick(*uses) for _ in range(3))]
        self.names["flags"].remove(name)
        return "\n".join(lines)

    def indexed(self):
        xs = self.new("xs") if self.chance(60) else self.old("xs")
        made = f"{xs} = {self.pick('list(range(n))', '[x * 2 for x in range(n)]', 'words[:]', 'str(n * 37)', 'sorted(table)')}\n"
        made = made if xs == self.names["xs"][-1] else ""
        head = self.pick(f"for i in range(len({xs})):", f"for i in range(0, len({xs}), 1):", f"i = 0\nwhile i < len({xs}):")
        body = [f"note({xs}[i])"] + ([f"note(i + {xs}[i])"] if self.chance(30) else [])
        body += ["i += 1"] if "while" in head else []
        self.inside += 1
        body.insert(self.random.randrange(len(body) + 1), self.simple())
        self.inside -= 1
        if self.chance(30):
            test = self.pick("", f" if {xs}[i]", " if i")
            return f"{made}note({self.pick(f'[{xs}[i] for i in range(len({xs})){test}]', f'{{i: {xs}[i] for i in range(len({xs}))}}', f'[({xs}[i], i) for i in range(len({xs})){test}]')})"
        return made + head + "\n" + textwrap.indent("\n".join(body), "    ")

    def filed(self):
        make = self.pick((3, "written()"), "broken()")
        mode = self.pick((3, ""), ", 'rb'", ", 'r+'", ", errors='replace'", ", encoding='latin-1'")
        lines = self.pick((5, "f.readlines()"), "f.read().splitlines()", "f", "list(f)", "f.readlines()[1:]")
        body = lambda: self.pick("note(line)", "note(f.tell())", "note(f.read(2))", "f.seek(0)", "f.close()", "break", "note(f.readline())", "written('9\\n')",
                                 "note(int(line))", "f.write('x')", "other.append(f)", "note(next(f, None))", "open(PATH, 'w').close()", "print(line)", self.simple)
        self.inside += 1
        loop = f"for line in {lines}:\n" + textwrap.indent("\n".join(["note(len(line))"] * self.chance(50) + [body(), body()]), "    ")
        self.inside -= 1
        use = self.pick((4, loop), f"note(set({lines}))", f"note([line.strip() for line in {lines}])", f"note(sum(len(line) for line in {lines}))",
                        f"note(hashlib.md5(f.read()).hexdigest())", f"{self.old('xs')}.extend({lines})", f"for i, line in enumerate({lines}):\n    note(line)",
                        f"note(sum([line.split() for line in f], []))", "out = io.StringIO()\nout.write(f.read())\nnote(out.getvalue())",
                        f"note(sum([int(line) for line in {lines}]))")
        after = self.pick((3, ""), "\nnote(f.read())", "\nnote(f.tell())")
        if self.chance(60):
            return f"with open({make}{mode}) as f:\n" + textwrap.indent(use + after, "    ")
        return f"f = open({make}{mode})\n{use}{after}\nf.close()" if self.chance(80) else f"f = g = open({make}{mode})\n{use}\nnote(g.read())"

    def inner(self):
        name = self.new("f")
        if self.kind in ("class", "module") or self.chance(30):
            return f"def {name}(*given):\n    {self.pick(f'{self.old(chr(120) * 1 + chr(115))}.append(7)', 'LOG.append(given)', 'COUNTER[0] += 1')}\n    return 2"
        changed = self.pick((3, "xs"), "ys", "s", "n")
        changed = self.old(changed, lambda: self.old("xs")) if changed != "n" else "n"
        if changed in ("n", "arg", "text", "words") and self.kind != "nested":
            changed = self.names["xs"][-1]
        body = self.pick(f"{changed}.append(7)", f"{changed}.clear()", f"nonlocal {changed}\n    {changed} = {changed}[1:]", f"shrink({changed})", f"note({changed})")
        return f"def {name}(*given):\n    {body}\n    return 2"

    def statement(self):
        loop = lambda: f"for x in {self.source()}:\n{self.looped()}"
        return self.pick(
            (6, self.simple), (9, loop), (4, self.used_once), (3, self.queue), (2, self.flagged), (2, self.indexed), (2, self.filed), (2, self.inner),
            (4, self.grown), (3, self.matched), (2, self.copied_deep), (2, self.transferred), (2, self.measured), (3, self.text_parts), (2, self.unpacked),
            (2, self.flattened), (3, self.filled),
            (2, lambda: f"try:\n{self.block()}\nexcept Exception as error:\n    note(type(error).__name__)"),
            lambda: f"try:\n{self.block()}\nfinally:\n{self.block()}", lambda: f"with contextlib.suppress(Exception):\n{self.block()}",
            (2, lambda: f"if {self.test()}:\n{self.block()}\nelse:\n{self.block()}"),
            lambda: f"{loop()}\nelse:\n{self.block()}", lambda: f"for _ in range(3):\n{self.block()}",
            lambda: f"for x, y in {self.pick('zip', 'zip')}({self.source()}, {self.source()}):\n{self.looped()}",
            lambda: f"for i, x in enumerate({self.source()}):\n{self.looped()}",
            lambda: (lambda a: f"for x, y in zip({a}, {a}[1:]):\n{self.looped()}")(self.old("xs")),
            lambda: f"for key, y in list({self.old('d')}.items()):\n{self.block()}",
        )
