"""Index the standard library: which name is used in which file, on which line.

Reads every Python file of the standard library of the interpreter that runs it,
takes it apart with `tokenize`, and builds an inverted index from each name to
the places where it stands. Then it answers a few questions from the index.

    memsight run examples/index_stdlib.py
"""

import io
import keyword
import os
import sysconfig
import tokenize
from collections import defaultdict

# Tests, programs that only come along with the library, and generated tables.
SKIPPED_FOLDERS = set(
    "__pycache__ site-packages test tests idlelib turtledemo distutils lib2to3 ensurepip"
    " encodings pydoc_data".split()
)


def source_files(root):
    """Paths of the library's Python files below `root`, in order of their folders."""
    paths = []
    for folder, subfolders, names in os.walk(root):
        subfolders[:] = sorted(set(subfolders) - SKIPPED_FOLDERS)
        paths += [os.path.join(folder, name) for name in sorted(names) if name.endswith(".py")]
    return paths


def read_source(path):
    with open(path, "rb") as file:
        data = file.read()
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return data.decode(encoding)


def tokens_of(source):
    return list(tokenize.generate_tokens(io.StringIO(source).readline))


class Index:
    """Names to the places they stand at: `(file number, line)`."""

    def __init__(self):
        self.files = []
        self.places = defaultdict(list)
        self.tokens = 0
        self.lines = 0

    def add(self, path, source):
        number = len(self.files)
        self.files.append(path)
        self.lines += source.count("\n")
        for token in tokens_of(source):
            self.tokens += 1
            if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
                self.places[token.string].append((number, token.start[0]))

    def most_used(self, count):
        return sorted(self.places.items(), key=lambda item: (-len(item[1]), item[0]))[:count]

    def most_widespread(self, count):
        spread = {name: len({file for file, _ in places}) for name, places in self.places.items()}
        return sorted(spread.items(), key=lambda item: (-item[1], item[0]))[:count]

    def used_once(self):
        return sum(1 for places in self.places.values() if len(places) == 1)

    def where(self, name):
        return [(self.files[file], line) for file, line in self.places.get(name, [])]


def build_index(root):
    index = Index()
    unreadable = 0
    for path in source_files(root):
        try:
            index.add(os.path.relpath(path, root), read_source(path))
        except (SyntaxError, UnicodeDecodeError, tokenize.TokenError):
            unreadable += 1  # a file that is broken on purpose, or of another Python
    return index, unreadable


def main():
    root = sysconfig.get_paths()["stdlib"]
    index, unreadable = build_index(root)
    print(f"{root}: {len(index.files)} files, {index.lines:,} lines, {index.tokens:,} tokens", end="")
    print(f", {unreadable} not readable" if unreadable else "")
    places = sum(map(len, index.places.values()))
    print(f"{len(index.places):,} names in {places:,} places, {index.used_once():,} of them used once")
    print("\nused most often        times")
    for name, found in index.most_used(8):
        print(f"  {name:<18} {len(found):>8,}")
    print("\nin the most files      files")
    for name, files in index.most_widespread(8):
        print(f"  {name:<18} {files:>8,}")
    memory_views = index.where("memoryview")
    print(f"\nmemoryview stands in {len(memory_views)} places, first at", end=" ")
    print("{}:{}".format(*memory_views[0]) if memory_views else "none")


if __name__ == "__main__":
    main()
