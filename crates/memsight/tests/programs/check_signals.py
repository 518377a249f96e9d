"""Handlers that run Python between any two instructions, tracing, profiling and faulthandler."""
import faulthandler
import linecache
import os
import signal
import sys
import tempfile
import threading
import tokenize
import traceback

log = [linecache.getline(__file__, 1), tokenize.open]


def handled(number, frame):
    log.append([number, traceback.extract_stack(frame, 3)])
    del log[:-20]
    # The next one when this one is over: however slow the machine, handlers do not pile up.
    signal.setitimer(signal.ITIMER_REAL, 0.002 if ringing else 0)


def made(depth, number):
    if depth:
        return made(depth - 1, number)
    return [bytearray(number % 50), {"n": str(number)}]


signal.signal(signal.SIGALRM, handled)
ringing = True
signal.setitimer(signal.ITIMER_REAL, 0.002)
for number in range(1_000):
    made(number % 20, number)
    if number % 200 == 0:
        os.kill(os.getpid(), signal.SIGALRM)
ringing = False
signal.setitimer(signal.ITIMER_REAL, 0)


def traced(frame, event, argument):
    log.append([frame.f_code.co_name, event, frame.f_lineno])
    del log[:-20]
    return traced


def generated():
    for number in range(50):
        yield made(number % 5, number)


for hook in (sys.settrace, sys.setprofile, threading.setprofile):
    hook(traced)
    for number in range(30):
        made(number % 6, number)
    list(generated())
    thread = threading.Thread(target=made, args=(4, 4))
    thread.start()
    thread.join()
    hook(None)
with tempfile.TemporaryFile() as file:
    faulthandler.enable(file)
    faulthandler.dump_traceback(file, all_threads=True)
    for number in range(300):
        made(number % 10, number)
    faulthandler.disable()
# Frames that are asked for, kept beyond their call, and whose line is set by a debugger.
frames = []


def keeps_itself(depth):
    frames.append(sys._getframe())
    local = [depth]
    frames[-1].f_locals
    return keeps_itself(depth - 1) if depth else local


for _ in range(10):
    keeps_itself(10)
    del frames[::2]


def jumps(frame, event, argument):
    if event == "line" and frame.f_code.co_name == "jumped" and frame.f_lineno == frame.f_code.co_firstlineno + 2:
        frame.f_lineno = frame.f_code.co_firstlineno + 3
    return jumps


def jumped():
    kept = [1]
    kept.append([2])
    kept.append([3])
    return kept


sys.settrace(jumps)
assert jumped() == [1, [3]], jumped()
sys.settrace(None)
