"""Runs the parts of an experiment for `memsight explain`.

    harness.py EXPERIMENT [MODULE...]

A line `# part: NAME` begins a part; what stands before the first is the setup
of each. A part gets a process of its own, forked where the setup ended: its
recording begins there, so that neither the interpreter's start nor the imports
nor the setup are in it, and its peak is its own. Lines that begin with `#` tell
memsight what happened, all others are what the experiment printed:

    #python NAME VERSION      the interpreter
    #missing MODULE           a module that is needed is not installed
    #part NAME PID            a part begins, in this process
    #failed NAME ERROR        a part ended with an exception
"""
import os
import sys


def parts_of(lines, path):
    """The setup's code, and name and code of each part, with the file's own line numbers."""
    starts = [at for at, line in enumerate(lines) if line.startswith("# part: ")]
    ends = starts[1:] + [len(lines)]
    code = lambda begin, end: compile("\n" * begin + "\n".join(lines[begin:end]) + "\n", path, "exec")
    named = [(lines[begin][len("# part: "):], code(begin, end)) for begin, end in zip(starts, ends)]
    return code(0, starts[0]), named


def say(text):
    os.write(1, ("#" + text + "\n").encode())


def forked(work):
    """Whether `work` went well, in a child that ends with it."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    work()


def run(name, code, names):
    say("part %s %d" % (name, os.getpid()))
    # Alive throughout, so that no short-lived object of the fork's own hooks is the peak.
    ballast = bytearray(100_000)
    attempt(name, code, names)
    sys.stdout.flush()
    os._exit(0)


def attempt(name, code, names):
    """Whether the code ran to its end; says why not."""
    try:
        exec(code, names)
        return True
    except BaseException as error:
        text = " ".join(str(error).split())
        say("failed %s %s: %s" % (name, type(error).__name__, text))
        return False


def main(path, needed):
    say("python %s %s" % (sys.implementation.name, ".".join(map(str, sys.version_info[:3]))))
    missing = [module for module in needed if not is_there(module)]
    for module in missing:
        say("missing " + module)
    if missing:
        return
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    setup, parts = parts_of(lines, path)
    import_once(lines)
    for name, code in parts:

        def work():
            names = {"__name__": "__main__", "__file__": path}
            if attempt(name, setup, names):
                forked(lambda: run(name, code, names))
            # Not _exit: what the setup left on the disk is removed by its own clean-up.
            sys.exit()

        if not forked(work):
            sys.exit("the experiment's part %s did not end well" % name)


def is_there(module):
    import importlib.util

    return importlib.util.find_spec(module) is not None


def import_once(lines):
    """Imports what the setup imports, for all parts. What fails will fail there and be said."""
    for line in lines:
        if line.startswith("# part: "):
            return
        if line.startswith(("import ", "from ")):
            try:
                exec(line, {})
            except Exception:
                return


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
