import itertools

pairs = itertools.combinations([1000, 2000, 3000], 2)
print(next(pairs), list(pairs))
left, right = itertools.tee(iter([1000, 2000]))
print(list(left), list(right))
groups = itertools.groupby("aabbbc")
print([(key, len(list(group))) for key, group in groups])
print(list(itertools.islice(itertools.count(1000, 5), 3)), list(itertools.accumulate([1, 2, 3])))
