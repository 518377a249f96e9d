# stdout: partly
import threading
import time


def forever():
    while True:
        time.sleep(0.01)


thread = threading.Thread(target=forever, daemon=True)
thread.start()
print("main is over")
