prices = {"fig": 1000, "pear": 2000}
names, pairs = prices.keys(), prices.items()
prices["apple"] = 3000
print(list(names), ("apple", 3000) in pairs, names & {"fig", "kiwi"})
del prices["fig"]
print(list(prices.values()), prices.pop("none", None))
try:
    for name in prices:
        prices[name + "-x"] = 0
except RuntimeError as error:
    print(error)
