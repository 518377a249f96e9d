"""Loads a program of pyperformance by path, without pyperf's worker processes.

The programs are scripts that measure themselves when they are run; loaded under
another name they only define their functions, which the workloads then call a
fixed number of times.
"""

import importlib.util
import os

import pyperformance


def load(name):
    programs = os.path.join(os.path.dirname(pyperformance.__file__), "data-files", "benchmarks")
    path = os.path.join(programs, "bm_" + name, "run_benchmark.py")
    spec = importlib.util.spec_from_file_location("bm_" + name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
