# args: --nonsense
# exit: 2
# stderr: yes
import argparse

parser = argparse.ArgumentParser(prog="refuses")
parser.add_argument("--count", type=int)
parser.parse_args()
print("never")
