# stdout: partly
import os
import sys

sys.stdout.write("buffered ")
sys.stdout.flush()
os.write(1, b"straight to the descriptor\n")
sys.stdout.buffer.write(b"bytes\n")
print("end", end="")
