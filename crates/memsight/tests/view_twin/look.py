"""The probe of the untraced twin: `__look__(line)` writes down what the program's names refer to.

The tests put a call of it before each simple statement of a program, on the same
line. It keeps no reference to anything of the program: everything is first noted as
numbers, then all references are dropped, and only then are the counts read, at the
noted addresses. What it cannot know for certain it leaves out.
"""


def install():
    import ast
    import atexit
    import builtins
    import ctypes
    import gc
    import json
    import os
    import sys
    import weakref

    out = open(os.environ["MEMSIGHT_LOOKS"], "w", encoding="utf-8")
    atexit.register(out.close)
    main = sys.modules["__main__"].__file__
    with open(main, encoding="utf-8") as file:
        stores = [node for node in ast.walk(ast.parse(file.read())) if isinstance(node, ast.Attribute)]
    # Asking an instance for its dict could make one; asking for an attribute does not.
    attributes = sorted({node.attr for node in stores if isinstance(node.ctx, ast.Store)})
    del stores
    has_immortals = sys.version_info >= (3, 12)
    # From 3.13 on `f_locals` is a view; before, it fills a dict that stays in the frame.
    leaves_dict = sys.version_info < (3, 13)
    weak = {}
    # In place of the number of an object that holds another: a frame that ends when it returns, or may not.
    RUNS, PAUSES = "runs", "pauses"
    before = {"paths": {}, "objects": {}}

    def items_of(value):
        kind = type(value)
        if kind is list or kind is tuple:
            return [(str(index), item) for index, item in enumerate(value)]
        if kind is dict:
            return [(str(key), item) for key, item in value.items()]
        if kind.__module__ != "__main__" or isinstance(value, type):
            return []
        own = [name for name in attributes if not any(name in base.__dict__ for base in kind.__mro__)]
        return [(name, getattr(value, name)) for name in own if hasattr(value, name)]

    def is_shared(value):
        """Whether the interpreter itself may hold it, so that its count says nothing of the program."""
        kind = type(value)
        if kind is int:
            return -6 < value < 257
        if kind is str or kind is bytes or kind is tuple:
            return len(value) < 2
        return value is None or kind in (bool, type(sys), type(len), type(type), type(len.__call__))

    def note(value, path, paths, objects, depth, holder):
        number = id(value)
        paths[path] = number
        seen = objects.get(number)
        if seen is not None:
            seen["found"] += 1
            seen["holders"].append(holder)
            return
        objects[number] = seen = {
            "type": type(value).__name__,
            "bytes": sys.getsizeof(value),
            "shared": is_shared(value),
            "found": 1,
            "holders": [holder],
        }
        if number not in weak or weak[number]() is not value:
            try:
                weak[number] = weakref.ref(value)
            except TypeError:
                weak.pop(number, None)
        if depth < 12:
            for label, item in items_of(value):
                note(item, path + "\0" + label, paths, objects, depth + 1, number)

    def fates(paths, objects, tracked):
        """Which objects of the look before are certainly alive, and which are certainly freed."""
        kept = {number for path, number in before["paths"].items() if paths.get(path) == number}
        alive, freed = [], []
        for number, was in before["objects"].items():
            reference = weak.get(number) if was["weak"] else None
            if reference is not None:
                (freed if reference() is None else alive).append(number)
            elif number in kept:
                alive.append(number)
            elif number not in objects and number not in tracked and was["count"] == was["found"]:
                freed.append(number)
        # What held it may live on where no name leads: a list in an iterator, a paused frame.
        while True:
            gone = set(freed)
            certain = [
                number
                for number in freed
                if weak.get(number) is not None
                or all(holder == RUNS or holder in objects or holder in gone for holder in before["objects"][number]["holders"])
            ]
            if len(certain) == len(freed):
                return alive, freed
            freed = certain

    def note_frames(frame, paths, objects):
        frames = []
        while frame is not None:
            if frame.f_code.co_filename == main:
                frames.append(frame)
            frame = frame.f_back
        names = []
        for depth, frame in enumerate(reversed(frames)):
            names.append(frame.f_code.co_name)
            local = frame.f_locals
            # CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR
            holder = PAUSES if frame.f_code.co_flags & 0x2A0 else RUNS
            for name in list(local):
                if not name.startswith("__"):
                    note(local[name], str(depth) + "\0" + name, paths, objects, 0, holder)
            if leaves_dict and frame.f_code.co_flags & 1:
                local.clear()
        return names

    def look(line):
        # First of all: what is made here could lie where an object of the program has lain.
        tracked = set(map(id, gc.get_objects()))
        paths, objects = {}, {}
        functions = note_frames(sys._getframe(1), paths, objects)
        alive, freed = fates(paths, objects, tracked)
        for number in freed:
            weak.pop(number, None)
        for number, noted in objects.items():
            count = ctypes.c_ssize_t.from_address(number).value
            noted["immortal"] = has_immortals and count & 0x80000000 != 0
            noted["count"] = count
            noted["weak"] = number in weak
        before.update(paths=paths, objects=objects)
        json.dump(
            {"line": line, "functions": functions, "paths": paths, "objects": objects, "alive": alive, "freed": freed},
            out,
        )
        out.write("\n")

    gc.disable()
    builtins.__look__ = look


install()
