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
import importlib.util
import os
import sys
import traceback


def parts_of(path):
    """The setup's code, and name and code of each part, with the file's own line numbers."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
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
    try:
        exec(code, names)
    except BaseException as error:
        traceback.print_exc()
        say("failed %s %s" % (name, traceback.format_exception_only(type(error), error)[-1].strip()))
    sys.stdout.flush()
    os._exit(0)


def main(path, needed):
    say("python %s %s" % (sys.implementation.name, ".".join(map(str, sys.version_info[:3]))))
    missing = [module for module in needed if importlib.util.find_spec(module) is None]
    for module in missing:
        say("missing " + module)
    if missing:
        return
    setup, parts = parts_of(path)
    for name, code in parts:

        def work():
            names = {"__name__": "__main__", "__file__": path}
            exec(setup, names)
            forked(lambda: run(name, code, names))
            # Not _exit: what the setup left on the disk is removed by its own clean-up.
            sys.exit()

        if not forked(work):
            sys.exit("the experiment's setup failed")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
