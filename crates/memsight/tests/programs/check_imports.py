"""Imports some forty modules, so that modules import modules."""
import importlib

NAMES = """
argparse ast calendar codecs concurrent.futures configparser csv ctypes dataclasses datetime decimal difflib enum
fractions glob gzip heapq html.parser inspect json logging pickle random re secrets shlex statistics string tempfile
textwrap tokenize typing uuid weakref zipfile
""".split()

count = 0
for name in NAMES:
    try:
        importlib.import_module(name)
        count += 1
    except ImportError:
        pass
assert count >= 30, count
