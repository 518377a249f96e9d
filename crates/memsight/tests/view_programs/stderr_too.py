# stderr: yes
import sys

print("to stdout")
print("to stderr", file=sys.stderr)
sys.stderr.write("more\n")
sys.stdout.write("without a newline")
