def permutations(items):
    if len(items) <= 1:
        return [items]
    found = []
    for place in range(len(items)):
        for rest in permutations(items[:place] + items[place + 1 :]):
            found.append([items[place]] + rest)
    return found


print(permutations(["a-", "b-", "c-"]))
