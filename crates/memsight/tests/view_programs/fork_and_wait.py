# stdout: partly
import os
import sys

numbers = [1000, 2000]
sys.stdout.flush()
child = os.fork()
if child == 0:
    numbers.append(3000)
    print("child", numbers, flush=True)
    os._exit(5)
_, status = os.waitpid(child, 0)
print("parent", numbers, os.WEXITSTATUS(status))
