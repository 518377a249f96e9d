"""Where the program stops, and what is noted there."""

import gdb

# They call malloc for their caller.
COPIERS = {
    word
    for name in ("strdup", "strndup", "getdelim", "vasprintf_internal", "getcwd", "realpath_stk", "_IO_getdelim")
    for word in (name, "__" + name, "__GI___" + name)
}


class Inner(gdb.Breakpoint):
    """A breakpoint that nobody sees."""

    def __init__(self, session, address):
        super().__init__("*0x%x" % address, gdb.BP_BREAKPOINT, internal=True)
        self.silent = True
        self.session = session


class Line(Inner):
    """A line of the program begins."""

    def __init__(self, session, address, function, line):
        super().__init__(session, address)
        self.at = (address, function, line)

    def stop(self):
        kind = self.session.arrive(gdb.selected_thread().num, *self.at)
        if kind is None:
            return False
        self.session.stop = ("line", kind)
        return True


class Begin(Inner):
    """The part that is looked at begins."""

    def stop(self):
        if self.session.watching:
            return False
        self.session.stop = ("watch", None)
        return True


class Allocator(Inner):
    """A function that gives memory was called."""

    def __init__(self, session, address, word, old, sizes, how):
        super().__init__(session, address)
        self.word, self.old, self.sizes, self.how = word, old, sizes, how

    def stop(self):
        session = self.session
        frame = gdb.newest_frame()
        site, sp = session.caller(frame)
        size = 1
        for number in self.sizes:
            size *= session.argument(frame, number)
        old = None if self.old is None else session.argument(frame, self.old)
        through = session.argument(frame, 0) if self.how == "through" else None
        place = session.place_of(site)
        if place is None:
            older = frame.older()
            own = older is not None and older.name() in COPIERS
        else:
            own = True
        if old and place and old not in session.live:
            session.stop = ("bad_free", {"address": old, "by": self.word})
        call = (sp, size, old, through, self.how == "zeroed", own, place)
        session.pending.setdefault(gdb.selected_thread().num, []).append(call)
        if site not in session.sites:
            # Breakpoints cannot be made while one is asked.
            session.sites.add(site)
            session.new_sites.append(site)
            session.stop = session.stop or ("site", None)
        return session.stop is not None


class Site(Inner):
    """A function that gives memory returns here."""

    def stop(self):
        session = self.session
        pending = session.pending.get(gdb.selected_thread().num)
        frame = gdb.newest_frame()
        sp = unsigned(frame.read_register(session.machine["sp"]))
        while pending and pending[-1][0] < sp:
            pending.pop()
        if not pending or pending[-1][0] != sp:
            return False
        _, size, old, through, zeroed, own, place = pending.pop()
        result = unsigned(frame.read_register(session.machine["result"]))
        if through is not None:
            if result:
                return False
            result = int.from_bytes(bytes(session.inferior.read_memory(through, 8)), "little")
        before = session.live.get(old, 0) if old else 0
        if old and (result or not size):
            session.live.pop(old, None)
            session.dead.add(old)
        if result:
            session.live[result] = size
            session.dead.discard(result)
            if not zeroed:
                session.paint(result + before, size - before)
        if result or old:
            session.events.append({"old": old, "address": result, "bytes": size, "own": own, "place": place})
        return False


class Free(Inner):
    """Memory is given back."""

    def stop(self):
        session = self.session
        frame = gdb.newest_frame()
        address = session.argument(frame, 0)
        if not address:
            return False
        if address in session.live:
            del session.live[address]
            session.dead.add(address)
            session.events.append({"old": address, "address": 0, "bytes": 0, "own": True,
                                   "place": session.place_of(session.caller(frame)[0])})
            return False
        place = session.place_of(session.caller(frame)[0])
        if place is None:
            return False
        session.stop = ("bad_free", {"address": address, "by": "free", "place": place})
        return True


class Last(Inner):
    """The program is about to be over."""

    def stop(self):
        self.session.stop = ("last", None)
        return True


class Smashed(Inner):
    """The compiler's own guard found a frame overwritten."""

    def stop(self):
        self.session.stop = ("guard", {})
        return True
