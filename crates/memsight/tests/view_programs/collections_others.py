from collections import ChainMap, Counter, OrderedDict, defaultdict

words = defaultdict(list)
for word in "heap stack frame block".split():
    words[len(word)].append(word)
print(dict(words), Counter("mississippi").most_common(2))
order = OrderedDict(a=1000, b=2000)
order.move_to_end("a")
print(list(order), ChainMap({"x": 1}, {"x": 2, "y": 3})["y"])
