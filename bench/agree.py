"""Runs a workload as its own program, or nothing: `agree.py [SCRIPT [ARGUMENTS...]]`.

For `cargo xtask bench --agree`, which records it with memsight and with memray.
memsight records from the first moment of the process, memray from when its own
Python code has been imported. So this imports that code in any case: then both
have the same modules loaded when the workload begins, and what came before is
the same with the workload and without it.
"""

import os
import runpy
import sys

import memray.commands  # noqa: F401

if len(sys.argv) > 1:
    del sys.argv[0]
    sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
    runpy.run_path(sys.argv[0], run_name="__main__")
