"""Four threads that allocate at several depths, and free what another one made."""
import queue
import threading

boxes = [queue.Queue() for _ in range(4)]
local = threading.local()


def made(depth, number):
    if depth == 0:
        return [bytearray(number % 300), {"number": number}, str(number)]
    return made(depth - 1, number)


def work(index):
    local.kept = []
    for number in range(400):
        boxes[(index + 1) % 4].put(made(number % 17, number))
        if number % 3 == 0:
            local.kept.append(boxes[index].get())
            del local.kept[:-20]


threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for box in boxes:
    while not box.empty():
        box.get()

# Threads that come and go, so that their states and stacks are used again.
for _ in range(100):
    thread = threading.Thread(target=made, args=(5, 5))
    thread.start()
    thread.join()
timer = threading.Timer(0.01, made, (3, 3))
timer.start()
timer.join()
