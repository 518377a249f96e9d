# args: --count 3 -v name-of-it
import argparse
import sys

parser = argparse.ArgumentParser(prog="given")
parser.add_argument("name")
parser.add_argument("--count", type=int, default=1)
parser.add_argument("-v", action="store_true")
options = parser.parse_args()
print([options.name] * options.count, options.v, len(sys.argv), __name__)
