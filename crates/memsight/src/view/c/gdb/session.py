"""Runs inside gdb: stops at every line of the program's own files and says where it is.

It says where things lie and what was allocated; their bytes are read by memsight itself. Each answer is
one line of JSON behind the word `memsight`. Own functions are entered through breakpoints on all their
lines, not by stepping, so that callbacks, longjmp, signal handlers and threads are seen as well, and a
line costs one stop. The frames follow from these stops, and stay right where a buffer that overran has
destroyed what a debugger unwinds by.
"""

import bisect
import json
import re

import gdb

# Bytes that stand for "never written", by the last bits of their address. None is ASCII, or 0.
PAINT = bytes([0xA5, 0xC3, 0x9A, 0xD6, 0xB9, 0xE7, 0x8D, 0xCB])
# Beyond this nothing is shown of a block, so nothing need be known.
PAINTED_AT_MOST = 1 << 16

MACHINES = {
    "i386:x86-64": {
        "arguments": ["rdi", "rsi", "rdx"],
        "result": "rax",
        "float": "xmm0",
        "sp": "rsp",
        "link": None,
        "kept": ["rbx", "r12", "r13", "r14", "r15"],
    },
    "aarch64": {
        "arguments": ["x0", "x1", "x2"],
        "result": "x0",
        "float": "v0",
        "sp": "sp",
        "link": "x30",
        "kept": ["x%d" % n for n in range(19, 29)],
    },
}

# Function: which argument is the old block, which the size (two are multiplied), how it is given.
ALLOCATORS = {
    "malloc": (None, [0], "result"),
    "calloc": (None, [0, 1], "zeroed"),
    "realloc": (0, [1], "result"),
    "reallocarray": (0, [1, 2], "result"),
    "aligned_alloc": (None, [1], "result"),
    "memalign": (None, [1], "result"),
    "valloc": (None, [0], "result"),
    "posix_memalign": (None, [2], "through"),
}


def say(answer):
    gdb.write("memsight " + json.dumps(answer) + "\n")


def unsigned(value):
    return int(value) & 0xFFFFFFFFFFFFFFFF


class Session:
    """The program, from main on."""

    def __init__(self, files, watched_line, watched_function):
        self.files = files
        self.watched_line, self.watched_function = watched_line, watched_function
        self.types = Types()
        self.functions, self.lows = [], []
        self.by_entry = {}
        self.frames = {}
        self.next_frame = 1
        self.stop = None
        self.signal = None
        self.ended = None
        self.last = None
        self.events = []
        self.live, self.dead = {}, set()
        self.pending = {}
        self.sites, self.new_sites = set(), []
        self.new_functions = []
        self.lines = []
        self.watching = False
        self.watch_root = None
        gdb.events.stop.connect(self.on_stop)
        gdb.events.exited.connect(self.on_exit)

    def on_stop(self, event):
        if isinstance(event, gdb.SignalEvent):
            self.signal = event.stop_signal

    def on_exit(self, event):
        signal = gdb.convenience_variable("_exitsignal")
        code = getattr(event, "exit_code", None)
        self.ended = {"code": code, "signal": None if code is not None or signal is None else int(signal)}

    def begin(self):
        """Runs to main and learns where its lines are."""
        # The frame that called main says where main's begins.
        gdb.execute("set backtrace past-main on")
        gdb.execute("tbreak *main", to_string=True)
        gdb.execute("run", to_string=True)
        if self.ended or not gdb.selected_inferior().pid:
            raise RuntimeError("it ended before main")
        self.inferior = gdb.selected_inferior()
        frame = gdb.newest_frame()
        name = frame.architecture().name()
        if name not in MACHINES:
            raise RuntimeError("a program for %s cannot be looked at, only for x86-64 and aarch64" % name)
        self.machine = MACHINES[name]
        notes = self.find_functions()
        for word, (old, sizes, how) in ALLOCATORS.items():
            address = self.address_of(word)
            if address:
                Allocator(self, address, word, old, sizes, how)
        for word, kind in (("free", Free), ("_exit", Last), ("__stack_chk_fail", Smashed)):
            address = self.address_of(word)
            if address:
                kind(self, address)
        if self.watched_line or self.watched_function:
            self.wait_for_watched()
        else:
            self.watch()
        return {
            "pid": self.inferior.pid,
            "stdout": self.address_of("_IO_2_1_stdout_"),
            "globals": self.globals(),
            "code": [[function.low, function.name] for function in self.functions],
            "files": self.own_files,
            "made_by": self.made_by,
            "notes": notes,
            "types": self.new_types(),
        }

    def address_of(self, word):
        try:
            return unsigned(gdb.parse_and_eval("(unsigned long)&" + word))
        except gdb.error:
            return None

    def find_functions(self):
        """The functions of the own files with their lines."""
        notes, found, self.own_files, self.made_by = [], {}, [], ""
        self.symtabs = []
        for path in self.files:
            try:
                _, places = gdb.decode_line("'%s':1" % path)
            except gdb.error:
                continue
            for symtab in {place.symtab.fullname(): place.symtab for place in places or [] if place.symtab}.values():
                producer = getattr(symtab, "producer", None) or ""
                optimised = re.search(r" -O(?!0)", producer)
                if optimised:
                    notes.append("It was compiled with optimisation: variables may be missing, and lines come out of order.")
                self.made_by = self.made_by or re.sub(r" -.*", "", producer)
                self.symtabs.append(symtab)
                self.own_files.append(symtab.fullname())
                self.lines_of(symtab, found, bool(optimised))
        self.functions = sorted(found.values(), key=lambda function: function.low)
        for number, function in enumerate(self.functions):
            function.number = number
            function.prepare(self.inferior)
        self.lows = [function.low for function in self.functions]
        return sorted(set(notes))

    def lines_of(self, symtab, found, optimised):
        for entry in symtab.linetable():
            if not entry.line:
                continue
            block = gdb.block_for_pc(entry.pc)
            inner = []
            while block and not block.function and block.superblock:
                inner.append(block)
                block = block.superblock
            if not block or not block.function:
                continue
            function = found.get(block.start)
            if function is None:
                function = found[block.start] = Function(0, block, symtab, optimised)
            for part in inner + [block]:
                function.blocks.setdefault((part.start, part.end), part)
            function.entries.append((entry.pc, entry.line))

    def globals(self):
        """The variables of the own files that no frame holds."""
        found = []
        for symtab in self.symtabs:
            for block in (symtab.global_block(), symtab.static_block()):
                for symbol in block:
                    if symbol.is_variable and not symbol.needs_frame and symbol.symtab.fullname() in self.own_files:
                        self.add_static(found, symbol, None)
        for function in self.functions:
            for block in function.blocks.values():
                for symbol in block:
                    if symbol.is_variable and not symbol.needs_frame:
                        self.add_static(found, symbol, function.name)
        return found

    def add_static(self, found, symbol, function):
        try:
            address = symbol.value().address
            if address is not None and not any(known["address"] == int(address) for known in found):
                found.append({"name": symbol.name, "type": self.types.id(symbol.type), "address": int(address),
                              "function": function, "line": symbol.line, "file": symbol.symtab.fullname()})
        except (gdb.error, RuntimeError, ValueError):
            pass

    def new_types(self):
        new, self.types.new = self.types.new, []
        return new

    def function_at(self, pc):
        at = bisect.bisect_right(self.lows, pc) - 1
        if at >= 0 and pc < self.functions[at].high:
            return self.functions[at]
        return None

    def wait_for_watched(self):
        """Until the part that is looked at begins there is a stop only where it begins."""
        if self.watched_function:
            places = [function.body for function in self.functions if function.name == self.watched_function]
            missing = "it has no function %s" % self.watched_function
        else:
            lines = [(line, pc) for function in self.functions if function.file == self.own_files[0]
                     for pc, line in function.entries if line >= self.watched_line and pc >= function.body]
            # A line without code stands for the next that has some.
            places = [pc for line, pc in lines if line == min(lines)[0]]
            missing = "no line from %d on has code" % self.watched_line if self.watched_line else ""
        if not places:
            raise RuntimeError(missing)
        for place in places:
            Begin(self, place)

    def watch(self):
        """From now on there is a stop at every line."""
        self.watching = True
        if self.lines:
            for line in self.lines:
                line.enabled = True
            return
        for function in self.functions:
            seen = set()
            for pc, line in function.entries:
                if pc >= function.body and pc not in seen:
                    seen.add(pc)
                    self.lines.append(Line(self, pc, function, line))

    def unwatch(self):
        self.watching = False
        for line in self.lines:
            line.enabled = False

    def unwound(self, thread):
        """Frames as gdb finds them, where the stops before were not seen."""
        frames, frame = [], gdb.newest_frame()
        while frame:
            function = self.function_at(frame.pc())
            older = frame.older()
            if function and older:
                known = Frame(0, function, unsigned(older.read_register(self.machine["sp"])))
                known.pc, known.line = frame.pc(), frame.find_sal().line
                if function.variables is None:
                    self.new_functions.append(function.describe(self.types, frame, known.cfa))
                self.look_up(known, frame)
                frames.append(known)
            frame = older
        for frame in reversed(frames):
            frame.id, self.next_frame = self.next_frame, self.next_frame + 1
        self.frames[thread] = frames[::-1]

    def look_up(self, known, frame):
        """Variables that do not lie still: arrays of a variable length, what is in registers."""
        known.extra = []
        for symbol, block in known.function.dynamic:
            # An array of a variable length lies nowhere before its line has run.
            if not block.start <= known.pc < block.end or (not known.function.optimised and known.line <= symbol.line):
                continue
            try:
                value = symbol.value(frame)
                if value.is_optimized_out:
                    continue
                address = value.address
                if address is not None and not int(address):
                    continue
                known.extra.append([symbol.name, self.types.id(value.type), None if address is None else int(address),
                                    str(value) if address is None else None])
            except (gdb.error, RuntimeError, ValueError):
                continue

    def arrive(self, thread, pc, function, line):
        """Notes that a thread is at a line, and in which frame. Whether it is a step, and of what kind."""
        newest = gdb.newest_frame()
        older = newest.older()
        cfa = unsigned((older or newest).read_register(self.machine["sp"]))
        frames = self.frames.setdefault(thread, [])
        while frames:
            top = frames[-1]
            same = top.function is function and top.cfa == cfa and not top.over
            if same or top.cfa > cfa:
                break
            frames.pop()
        entered = not frames or frames[-1].cfa != cfa
        if entered:
            frames.append(Frame(self.next_frame, function, cfa))
            self.next_frame += 1
        frame = frames[-1]
        returns = pc == function.last and not entered and self.ends_in_return(function)
        if not entered and not returns and self.last and self.last[0] == frame.id:
            # The rest of a line is no new one, but a loop that came round to its beginning is.
            if line == self.last[2] and pc != self.last[1]:
                return None
            if line == function.last_line and pc != function.last and function.last_line != self.last[2] \
                    and self.ends_in_return(function) and self.closes(function, pc):
                return None
        frame.pc, frame.line = pc, line
        if function.variables is None:
            self.new_functions.append(function.describe(self.types, newest, cfa))
        if entered and not function.optimised:
            self.paint_frame(function, cfa)
        if function.dynamic:
            self.look_up(frame, newest)
        frame.over = returns
        self.last = (frame.id, pc, line)
        return "call" if entered else "return" if returns else "line"

    def closes(self, function, pc):
        """Whether nothing but the return follows in the function."""
        return all(line == function.last_line for at, line in function.entries if at >= pc)

    def ends_in_return(self, function):
        if not hasattr(function, "returns"):
            end = bytes(self.inferior.read_memory(function.high - 4, 4))
            function.returns = end[3:] == b"\xc3" or end == b"\xc0\x03\x5f\xd6" or end[3:] == b"\x90"
        return function.returns

    def paint_frame(self, function, cfa):
        """What a frame held before is no value of its variables."""
        for variable in function.variables:
            if "offset" in variable and not variable["argument"]:
                self.paint(cfa + variable["offset"], self.size_of(variable["type"]))

    def size_of(self, type_id):
        return self.types.sizes[type_id]

    def paint(self, address, size):
        size = min(size, PAINTED_AT_MOST)
        if size <= 0:
            return
        phase = address & 7
        text = (PAINT * (size // 8 + 2))[phase:phase + size]
        try:
            self.inferior.write_memory(address, text)
        except gdb.MemoryError:
            pass

    def next(self):
        """Lets the program go on to its next step."""
        while True:
            self.stop = self.signal = None
            while self.new_sites:
                Site(self, self.new_sites.pop())
            gdb.execute("continue", to_string=True)
            if self.ended:
                return self.answer({"reason": "exited", "code": self.ended["code"], "signal": self.ended["signal"]})
            if self.signal is None and (self.stop is None or self.stop[0] == "site"):
                continue
            thread = gdb.selected_thread().num
            if self.signal is not None:
                return self.answer(self.of_signal(thread))
            kind, detail = self.stop
            if kind == "watch":
                self.unwound(thread)
                self.watch()
                frames = self.frames[thread]
                if frames:
                    top = frames[-1]
                    if self.watched_function:
                        self.watch_root = (thread, top.id)
                        if not top.function.optimised:
                            self.paint_frame(top.function, top.cfa)
                    self.last = (top.id, top.pc, top.line)
                    return self.answer({"reason": "call" if top.pc == top.function.body else "line", "thread": thread})
            elif kind == "line":
                answer = {"reason": detail, "thread": thread}
                if detail == "return":
                    answer["value"] = self.result(self.frames[thread][-1].function)
                    if self.watch_root == (thread, self.frames[thread][-1].id):
                        self.watch_root = None
                        self.unwatch()
                return self.answer(answer)
            elif kind == "last":
                frames = self.frames.get(thread, [])
                if frames and frames[0].over:
                    self.frames[thread] = []
                return self.answer({"reason": "end", "thread": thread})
            else:
                answer = {"reason": "fault", "thread": thread, "fault": kind}
                answer.update(detail)
                return self.answer(answer)

    def result(self, function):
        """What a function is about to return, as the bytes of its register."""
        try:
            target = function.block.function.type.target().strip_typedefs()
            newest = gdb.newest_frame()
            if target.code == gdb.TYPE_CODE_FLT:
                register = newest.read_register(self.machine["float"])
                if target.sizeof not in (4, 8):
                    return None
                lanes = {4: ("v4_float", "s"), 8: ("v2_double", "d")}[target.sizeof]
                value = register[lanes[0]][0] if self.machine["float"] == "xmm0" else register[lanes[1]]["f"]
                return {"float": float(value)}
            if target.code in (gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_UNION, gdb.TYPE_CODE_VOID):
                return None
            return {"bits": unsigned(newest.read_register(self.machine["result"]))}
        except (gdb.error, RuntimeError, KeyError, ValueError):
            return None

    def of_signal(self, thread):
        """A signal that ends a program unless it is handled."""
        answer = {"reason": "signal", "thread": thread, "name": self.signal, "address": None}
        try:
            # An address that none can be is not told (SI_KERNEL).
            known = int(gdb.parse_and_eval("$_siginfo.si_code")) != 0x80
            if known and self.signal in ("SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE"):
                answer["address"] = unsigned(gdb.parse_and_eval("(unsigned long)$_siginfo._sifields._sigfault.si_addr"))
        except gdb.error:
            pass
        frames = self.frames.get(thread, [])
        newest = gdb.newest_frame()
        answer["at"] = unsigned(newest.pc())
        if frames and self.function_at(newest.pc()) is frames[-1].function:
            line = newest.find_sal().line
            if line:
                frames[-1].line = line
        return answer

    def answer(self, answer):
        """The step with what has to be known for it."""
        if answer["reason"] != "exited":
            newest = gdb.newest_frame()
            answer["sp"] = unsigned(newest.read_register(self.machine["sp"]))
            kept = []
            for register in self.machine["kept"]:
                try:
                    kept.append(unsigned(newest.read_register(register)))
                except (gdb.error, ValueError):
                    pass
            answer["registers"] = kept
            answer["stacks"] = [
                [number, [[frame.id, frame.function.number, frame.pc, frame.cfa, frame.line, frame.extra] for frame in frames]]
                for number, frames in self.standing_frames(answer["thread"])
            ]
        answer["events"], self.events = self.events, []
        answer["functions"], self.new_functions = self.new_functions, []
        answer["types"] = self.new_types()
        return answer

    def standing_frames(self, current):
        """The frames of all threads. Of those that do not run, what has returned is not there any more."""
        threads = {thread.num for thread in self.inferior.threads()}
        for number in [number for number in self.frames if number not in threads]:
            del self.frames[number]
        for number, frames in self.frames.items():
            while number != current and frames and frames[-1].over:
                frames.pop()
        return self.frames.items()

    def argument(self, frame, number):
        return unsigned(frame.read_register(self.machine["arguments"][number]))

    def caller(self, frame):
        """Where a function that was just entered returns to, and the stack pointer then."""
        sp = unsigned(frame.read_register(self.machine["sp"]))
        if self.machine["link"]:
            return unsigned(frame.read_register(self.machine["link"])), sp
        return int.from_bytes(bytes(self.inferior.read_memory(sp, 8)), "little"), sp + 8

    def place_of(self, site):
        """The own line that calls from here; None if it is none."""
        if self.function_at(site - 1) is None:
            return None
        place = gdb.find_pc_line(site - 1)
        return [place.symtab.fullname(), place.line] if place.symtab else None


SESSION = None


def answered(question):
    """Says the answer, or why there is none: once the program runs gdb itself no longer does."""
    try:
        say(question())
    except (gdb.error, gdb.MemoryError, RuntimeError, ValueError) as error:
        say({"error": str(error)})


def memsight_begin(text):
    """Starts the program; `text` is JSON."""
    global SESSION
    asked = json.loads(text)
    SESSION = Session(asked["files"], asked["line"], asked["function"])
    answered(SESSION.begin)


def memsight_next():
    """Goes on to the next step."""
    answered(SESSION.next)
