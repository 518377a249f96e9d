import queue
import threading


def worker():
    while True:
        item = jobs.get()
        if item is None:
            break
        done.append(item * 2)


jobs = queue.Queue()
done = []
thread = threading.Thread(target=worker)
thread.start()
for number in (1000, 2000, 3000):
    jobs.put(number)
jobs.put(None)
thread.join()
print(done)
