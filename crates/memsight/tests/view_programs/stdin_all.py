# stdin: 10 20 30|40
import sys

numbers = list(map(int, sys.stdin.read().split()))
print(sum(numbers), len(numbers))
