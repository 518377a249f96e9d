"""Applies every safe fix to packages of PyPI and runs their own tests on the result.

For each package: its tests as it is; with the safe fixes applied; and with more
sites made by reverse rewriting (see `reverse.py`) and those fixed too. What is
compared is how each test ended. Every fixed line that a test runs is counted.

    python safety.py MEMSIGHT FOLDER [PACKAGE...]
"""

import difflib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import venv
import xml.etree.ElementTree

import packages
import reverse


def main(memsight, folder, *only):
    folder = pathlib.Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    rows, good = [], True
    for package in packages.PACKAGES:
        if only and package.name not in only:
            continue
        row = try_package(pathlib.Path(memsight).resolve(), folder, package)
        print(json.dumps(row), flush=True)
        rows.append(row)
        good &= row["same"] and row["same_reversed"]
    table(rows)
    return 0 if good else 1


def try_package(memsight, folder, package):
    python = environment(folder / "venv" / package.name, package)
    original = packages.fetch(f"{package.name}=={package.version}", folder)
    before = outcomes(python, original, package)
    natural = copied(original, folder / "fixed" / package.name)
    count, changed = fixed(memsight, natural / package.sources, original / package.sources)
    after = outcomes(python, natural, package, changed)
    made = copied(original, folder / "reversed" / package.name)
    sites = make_sites(memsight, made / package.sources)
    wasteful = copied(made, folder / "wasteful" / package.name)
    made_count, made_changed = fixed(memsight, made / package.sources, wasteful / package.sources)
    reversed_after = outcomes(python, made, package, made_changed)
    return {
        "package": f"{package.name} {package.version}",
        "tests": len(before["tests"]),
        "passed": sum(outcome == "passed" for outcome in before["tests"].values()),
        "natural_fixes": count,
        "natural_lines": sum(map(len, changed.values())),
        "natural_lines_run": after["lines_run"],
        "same": differences(before, after, package.name, "fixed"),
        "made_sites": sites,
        "made_fixes": made_count,
        "made_lines": sum(map(len, made_changed.values())),
        "made_lines_run": reversed_after["lines_run"],
        "same_reversed": differences(before, reversed_after, package.name, "rewritten and fixed"),
    }


def environment(folder, package):
    """A virtual environment with what the tests need, but not the package itself."""
    python = folder / "bin" / "python"
    stamp = folder / "ready"
    if not stamp.exists():
        venv.create(folder, clear=True, with_pip=True)
        needs = ["pytest", "coverage", "setuptools", *package.needs]
        subprocess.run([python, "-m", "pip", "install", "--quiet", *needs], check=True)
        stamp.touch()
    return python


def copied(original, to):
    shutil.rmtree(to, ignore_errors=True)
    to.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(original, to, symlinks=True)
    return to


def check(memsight, *arguments):
    done = subprocess.run([memsight, "check", *map(str, arguments)], capture_output=True, text=True)
    if done.returncode == 2 and not done.stdout:
        sys.exit(f"memsight check {arguments}: {done.stderr}")
    return done.stdout


def fixed(memsight, sources, original):
    """Applies all safe fixes below a folder; gives how many there were and the changed lines by file."""
    said = check(memsight, "--fix", sources)
    count = 0
    for line in said.splitlines():
        if line.startswith("Fixed "):
            count = int(line.split()[1])
    changed = {}
    for path in sources.rglob("*.py"):
        old = (original / path.relative_to(sources)).read_bytes().splitlines()
        new = path.read_bytes().splitlines()
        if old != new:
            lines = set()
            for tag, _, _, start, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
                if tag in ("replace", "insert"):
                    lines.update(range(start + 1, end + 1))
            changed[path] = lines
    return count, changed


def make_sites(memsight, sources):
    """Rewrites what the checker then says it can mend safely; gives how many places that is."""
    sites = 0
    for path in sorted(sources.rglob("*.py")):
        source = path.read_bytes()
        try:
            rewrites = reverse.candidates(source)
        except SyntaxError:
            continue
        while rewrites:
            path.write_bytes(reverse.apply(source, rewrites))
            safe = safe_spans(memsight, path)
            kept = [
                rewrite
                for rewrite, (start, end) in zip(rewrites, reverse.spans_after(rewrites))
                if any(from_ < end and start < to for from_, to in safe)
            ]
            if len(kept) == len(rewrites):
                break
            rewrites = kept
        path.write_bytes(reverse.apply(source, rewrites))
        sites += len(rewrites)
    return sites


def safe_spans(memsight, path):
    found = json.loads(check(memsight, "--output-format", "json", path))["findings"]
    fixes = [finding["fix"] for finding in found if finding["fix"]]
    return [
        (min(edit["start"] for edit in fix["edits"]), max(edit["end"] for edit in fix["edits"]))
        for fix in fixes
        if fix["applicability"] == "safe"
    ]


def outcomes(python, root, package, changed=None):
    """How each test ended, and how many of the changed lines were run."""
    report, data = root / "memsight-junit.xml", root / "memsight-coverage"
    environment = {
        **os.environ,
        "PYTHONPATH": str(root / package.import_from),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "COVERAGE_FILE": str(data),
    }
    runner = ["-m", "coverage", "run", f"--source={root / package.sources}"] if changed else []
    # A package may make errors of warnings about what pytest does not collect.
    quiet = ["-q", "-p", "no:cacheprovider", "-W", "ignore::pytest.PytestCollectionWarning"]
    tests = ["-m", "pytest", *quiet, f"--junit-xml={report}", *package.tests]
    command = [python, *runner, *tests]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=1800)
    if not report.exists():
        sys.exit(f"{package.name}: no tests ran\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    ended = {}
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        ended[f"{case.get('classname')}::{case.get('name')}"] = kinds[0] if kinds else "passed"
    if not any(outcome == "passed" for outcome in ended.values()):
        sys.exit(f"{package.name}: no test passed\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    imported = subprocess.run(
        [python, "-c", f"import {package.sources} as it; print(it.__file__)"],
        cwd="/", env=environment, capture_output=True, text=True, check=True,
    ).stdout.strip()
    if not pathlib.Path(imported).is_relative_to(root):
        sys.exit(f"{package.name}: {imported} was tested, not the copy in {root}")
    run = 0
    if changed:
        out = root / "memsight-coverage.json"
        command = [python, "-m", "coverage", "json", "-q", "-o", out]
        subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True)
        files = json.loads(out.read_text())["files"]
        executed = {(root / name).resolve(): set(data["executed_lines"]) for name, data in files.items()}
        run = sum(len(lines & executed.get(path.resolve(), set())) for path, lines in changed.items())
    return {"tests": ended, "lines_run": run}


def differences(before, after, name, what):
    same = True
    for test in sorted(before["tests"].keys() | after["tests"].keys()):
        was, now = before["tests"].get(test, "not run"), after["tests"].get(test, "not run")
        if was != now:
            print(f"{name}, {what}: {test} {was} before, {now} after", file=sys.stderr)
            same = False
    return same


def table(rows):
    print(f"{'package':<24} {'tests':>6} {'passed':>6}  {'fixes':>5} {'lines run':>9}  {'made':>5} {'fixes':>5} {'lines run':>9}")
    for row in rows:
        verdict = "the same" if row["same"] and row["same_reversed"] else "DIFFERENT"
        natural = f"{row['natural_lines_run']}/{row['natural_lines']}"
        made = f"{row['made_lines_run']}/{row['made_lines']}"
        print(
            f"{row['package']:<24} {row['tests']:>6} {row['passed']:>6}  {row['natural_fixes']:>5} {natural:>9}"
            f"  {row['made_sites']:>5} {row['made_fixes']:>5} {made:>9}  {verdict}"
        )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
