"""Runs a workload as its own program: `agree.py [--profiled] SCRIPT [ARGUMENTS...]`.

For `cargo xtask bench --agree`, which records it with memsight and with memray.
memsight records from the first moment of the process, memray from when its own
Python code has been imported. So this imports that code in any case: then both
have the same modules loaded when the workload begins, and what came before is
the same with the workload and without it.

memray has Python call a profile function at each call and return. For that CPython
from 3.11 on makes a frame object for every function that is called, which it does not
make otherwise: memray counts what it causes. `--profiled` has Python call a profile
function too, one that makes nothing itself, so that memsight sees the same program.
"""

import os
import runpy
import sys
import sysconfig
import threading

import memray.commands  # noqa: F401
import memray.reporters.module_tools  # noqa: F401

# memray asks for these before it starts a program.
sysconfig.get_config_vars()

profiled = sys.argv[1:2] == ["--profiled"]
if profiled:
    del sys.argv[1]
del sys.argv[0]
sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
if profiled:
    # Called with a frame, an event's name and an argument, it gives the last.
    threading.setprofile(getattr)
    sys.setprofile(getattr)
runpy.run_path(sys.argv[0], run_name="__main__")
