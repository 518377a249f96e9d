import threading


def work(number):
    squares = [place * place for place in range(number)]
    with lock:
        results[number] = sum(squares)


lock = threading.Lock()
results = {}
threads = [threading.Thread(target=work, args=(number,)) for number in (30, 20, 10)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(results.items()))
