# stdin: first line|second line|3000
import sys

print(input("name? "))
rest = [line.rstrip("\n") for line in sys.stdin]
print(rest, int(rest[-1]) + 1)
try:
    input()
except EOFError:
    print("no more")
