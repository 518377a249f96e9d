"""Items one by one, or all of them first."""
import sys
import tempfile

COUNT = 100_000
file = tempfile.TemporaryFile("w+")
file.write("a line of text\n" * 50_000)
file.seek(0)

# part: sum_list
print("count", COUNT)
total = sum([x * 2 for x in range(COUNT)])  #: it
# part: sum_generator
total = sum(x * 2 for x in range(COUNT))  #: it
# part: any_list
found = any([x * 2 > 1000 for x in range(COUNT)])  #: it
# part: any_generator
found = any(x * 2 > 1000 for x in range(COUNT))  #: it
# part: len_list
count = len([x for x in range(COUNT) if x % 2])  #: it
# part: len_generator
count = sum(1 for x in range(COUNT) if x % 2)  #: it
# part: readlines
for line in file.readlines():  #: it
    pass
# part: file
for line in file:  #: it
    pass
# part: tuple_list
kept = tuple([x * 2 for x in range(COUNT)])  #: it
# part: tuple_generator
kept = tuple(x * 2 for x in range(COUNT))  #: it
# part: join_list
text = "".join([str(x) for x in range(COUNT)])  #: it
# part: join_generator
text = "".join(str(x) for x in range(COUNT))  #: it
# part: sizes
for name, count in (("small", 10), ("large", 1_000_000)):
    print(name, sys.getsizeof(x for x in range(count)))
once = (x for x in range(3))
print("first_time", sum(once))
print("second_time", sum(once))
