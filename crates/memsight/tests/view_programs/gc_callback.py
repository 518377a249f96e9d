import gc

seen = []


def watch(phase, info):
    seen.append(phase)


gc.collect()
gc.callbacks.append(watch)
gc.collect()
gc.callbacks.remove(watch)
print(seen)
