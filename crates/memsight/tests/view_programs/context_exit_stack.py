import contextlib

order = []
with contextlib.ExitStack() as stack:
    for number in range(3):
        stack.callback(order.append, number)
    kept = stack.pop_all()
print(order)
kept.close()
print(order)
