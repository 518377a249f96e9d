total = 0


def add(amount):
    global total
    total += amount
    globals()["last_" + str(amount)] = amount


add(300)
add(500)
print(total, sorted(name for name in globals() if name.startswith("last_")))
