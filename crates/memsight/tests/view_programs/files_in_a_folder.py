import os
import tempfile

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "notes.txt")
    with open(path, "w") as file:
        file.write("one\ntwo\n")
        print("three", file=file)
    with open(path) as file:
        lines = [line.strip() for line in file]
    print(lines, os.listdir(folder))
print(os.path.exists(path), file.closed)
