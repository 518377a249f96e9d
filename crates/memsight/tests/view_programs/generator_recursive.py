def leaves(tree):
    if isinstance(tree, list):
        for branch in tree:
            yield from leaves(branch)
    else:
        yield tree


print(list(leaves([1000, [2000, [3000]], [[4000]]])))
