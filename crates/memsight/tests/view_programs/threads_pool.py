from concurrent.futures import ThreadPoolExecutor


def length(word):
    if not word:
        raise ValueError("empty")
    return len(word)


with ThreadPoolExecutor(max_workers=2) as pool:
    print(list(pool.map(length, ["heap", "stack"])))
    print(repr(pool.submit(length, "").exception()))
