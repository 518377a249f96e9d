"""Looks for safe fixes that change what a program does.

Random programs (see `programs.py`) are run before and after `memsight check --fix`. Every case that differs
is made smaller for as long as it differs, and printed. Fixed programs must also have nothing left that a
second `--fix` would change, and every comment they had. Counted but not printed are cases that differ from
run to run (`unsteady`), and those where `sum` or `set` fails at an item before a later one does (`told`).

    python differ.py MEMSIGHT [--seed N] [--programs N] [--cases N] [--python PYTHON]...
"""

import argparse
import ast
import collections
import io
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import tokenize

import programs

NOTHING = "nothing"
SECONDS = 300


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("memsight", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--programs", type=int, default=20)
    parser.add_argument("--cases", type=int, default=150, help="in each program")
    parser.add_argument("--python", action="append", default=[], help="taken in turn")
    asked = parser.parse_args()
    pythons = asked.python or [sys.executable]
    differ = Differ(asked.memsight.resolve())
    for number in range(asked.programs):
        seed = asked.seed + number
        cases = {f"case_{n}": programs.Case(n, seed).text for n in range(asked.cases)}
        differ.python = pythons[number % len(pythons)]
        differ.program(seed, {name: text for name, text in cases.items() if is_python(text)})
    if not differ.counts["different"]:
        shutil.rmtree(differ.folder)
    print(json.dumps({**differ.counts, "by_rule": dict(differ.rules.most_common())}))
    return 1 if differ.counts["different"] else 0


def is_python(text):
    try:
        compile(text, "case", "exec", dont_inherit=True)
        return True
    except SyntaxError:
        return False


class Differ:
    """Runs programs before and after their fixes."""

    def __init__(self, memsight):
        self.memsight = memsight
        self.python = sys.executable
        self.counts = collections.Counter(programs=0, cases=0, fixed_cases=0, fixes=0, unsteady=0, told=0, different=0)
        self.rules = collections.Counter()
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.versions = {}

    def program(self, seed, cases):
        self.target()
        before = whole(cases)
        after = self.fixed(before, count=True)
        old, new = pieces(before), pieces(after)
        changed = [name for name in cases if old.get(name) != new.get(name)]
        self.counts.update(programs=1, cases=len(cases), fixed_cases=len(changed))
        if not is_python(after):
            self.different(f"seed {seed}: what was fixed is Python no more: {kept(self.folder, before)}")
            return
        self.check_text(seed, before, after)
        one, other = self.outcomes(before), self.outcomes(after)
        if len(one) == 1:
            self.different(f"seed {seed}: nothing runs under {self.python}: {one['']}")
        for name in changed:
            if self.comparable(one, name) and one.get(name) != other.get(name):
                self.report(seed, name, cases[name], before, after)

    @staticmethod
    def comparable(one, name):
        return "EXPIRED" not in one.get(name, NOTHING)

    def target(self):
        """Lets fixes use what the Python has that runs them."""
        if self.python not in self.versions:
            ask = "import sys; print('%d.%d' % sys.version_info[:2])"
            self.versions[self.python] = subprocess.run([self.python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip()
        (self.folder / "pyproject.toml").write_text(f'[project]\nrequires-python = ">={self.versions[self.python]}"\n')

    def check_text(self, seed, before, after):
        missing = comments(before) - comments(after)
        if missing:
            self.different(f"seed {seed}: comments are lost: {sorted(missing)}")
        again = self.fixed(after)
        if again != after:
            lines = [line for line in again.splitlines() if line not in set(after.splitlines())]
            self.different(f"seed {seed}: a second run fixes more: {lines[:5]}")

    def fixed(self, text, count=False):
        """The program after its safe fixes."""
        path = self.folder / "program.py"
        path.write_text(text)
        if count:
            safe = self.safe_codes(path)
            self.rules.update(safe)
            self.counts["fixes"] += len(safe)
        self.checked([self.memsight, "check", "--exit-zero", "--fix", path])
        return path.read_text()

    def safe_codes(self, path):
        """The rules of all safe fixes of a program."""
        found = json.loads(self.checked([self.memsight, "check", "--exit-zero", "--output-format", "json", path]) or '{"findings": []}')
        return [it["code"] for it in found["findings"] if (it.get("fix") or {}).get("applicability") == "safe"]

    def is_told(self, name, text, one, other):
        """Whether a function fails at an item before a later one does, or is made: what the two rules say of their fix."""
        path, codes = self.folder / "program.py", []
        for cases in ({name: text}, {}):
            path.write_text(whole(cases))
            codes.append(collections.Counter(self.safe_codes(path)))
        return set(codes[0] - codes[1]) <= {"MS401", "MS402"} and "Error" in one and "TypeError" in other

    def checked(self, command):
        """What the checker prints; if it breaks, that is reported with the program."""
        ran = subprocess.run(command, capture_output=True, text=True)
        if ran.returncode == 0:
            return ran.stdout
        where = kept(self.folder, command[-1].read_text())
        self.different(f"the checker ended with {ran.returncode} on {where}: {ran.stderr[-2000:]}")
        return ""

    def outcomes(self, text):
        """What each case of a program printed."""
        path = self.folder / "run.py"
        path.write_text(text)
        limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28))
        environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"}
        try:
            ran = subprocess.run([self.python, path], capture_output=True, timeout=SECONDS, preexec_fn=limit, env=environment)
        except subprocess.TimeoutExpired:
            self.counts["expired"] += 1
            return {"": "EXPIRED"}
        found, printed = {}, []
        for line in ran.stdout.decode(errors="replace").splitlines():
            if line.startswith("== "):
                found[line.split()[1]] = found.get(line.split()[1], "") + "\n".join([*printed, line]) + "\n"
                printed = []
            else:
                printed.append(line)
        found[""] = f"exit {ran.returncode} {ran.stderr.decode(errors='replace')[-300:] if ran.returncode else ''}"
        return found

    def differs(self, name, text):
        """What a case alone does before and after, if that is not the same."""
        before = whole({name: text})
        after = self.fixed(before)
        if after == before:
            return None
        one, other = self.outcomes(before), self.outcomes(after)
        # A program that differs from itself shows nothing.
        if one.get(name) == other.get(name) or not self.comparable(one, name) or one != self.outcomes(before):
            return None
        return one.get(name), other.get(name), pieces(after).get(name)

    def report(self, seed, name, text, before, after):
        if not self.differs(name, text):
            one, other = ([self.outcomes(text).get(name) for _ in range(2)] for text in (before, after))
            if one[0] != one[1] or other[0] != other[1] or one == other:
                self.counts["unsteady"] += 1
                return
            found = f"seed {seed} {name}, {self.python}: only beside the others\n{text}"
            self.different(f"{found}\n--- fixed\n{pieces(after).get(name)}\n--- before\n{one[0]}--- after\n{other[0]}")
            return
        small = smaller(text, lambda text: self.differs(name, text) is not None)
        one, other, after = self.differs(name, small)
        if self.is_told(name, small, one or "", other or ""):
            self.counts["told"] += 1
            return
        self.different(f"seed {seed} {name}, {self.python}\n{small}\n--- fixed\n{after}\n--- before\n{one}--- after\n{other}")

    def different(self, what):
        self.counts["different"] += 1
        print("#" * 20, what, sep="\n", flush=True)


def kept(folder, text):
    """A copy of a program for whoever looks into it."""
    path = folder / f"kept-{sum(1 for _ in folder.iterdir())}.py"
    path.write_text(text)
    return path


def whole(cases):
    return programs.PRELUDE + "".join(f"\n\n# == {name}\n{text}\n" for name, text in cases.items()) + "\n\n# == end\n"


def pieces(text):
    found = {}
    for piece in text.split("\n# == ")[1:]:
        name, _, body = piece.partition("\n")
        found[name] = body.strip("\n")
    return found


def comments(text):
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {token.string for token in tokens if token.type == tokenize.COMMENT}


def smaller(text, still):
    """A program with as few statements as still have a property."""
    progress = True
    while progress:
        progress = False
        tree = ast.parse(text)
        blocks = [(node, field) for node in ast.walk(tree) for field in ("body", "orelse", "finalbody", "handlers")
                  if isinstance(getattr(node, field, None), list)]
        for node, field in blocks:
            block = getattr(node, field)
            for at in reversed(range(len(block))):
                inner = getattr(block[at], "body", None) if not isinstance(block[at], (ast.FunctionDef, ast.ClassDef)) else None
                for instead in ([], inner if isinstance(inner, list) else []):
                    kept = block[:]
                    block[at:at + 1] = instead
                    try:
                        tried = ast.unparse(ast.fix_missing_locations(tree))
                        good = tried != text and is_python(tried) and still(tried)
                    except (ValueError, AttributeError, IndexError, RecursionError):
                        good = False
                    if good:
                        text, progress = tried, True
                        break
                    block[:] = kept
                if at >= len(block):
                    continue
    return text


if __name__ == "__main__":
    sys.exit(main())
