"""Draws findings at random from the standard library and packages of PyPI, to be read by a person.

`sample.tsv` beside this file keeps a verdict for each, `right` or `wrong`, with
a reason. Drawing again with the same seed keeps the verdicts of what is drawn
again, and says how many there are of each.

    python sample.py MEMSIGHT FOLDER [--seed N] [--count N]
"""

import argparse
import collections
import csv
import json
import pathlib
import random
import subprocess
import sys
import sysconfig

import packages

SAMPLE = pathlib.Path(__file__).with_name("sample.tsv")
COLUMNS = ("verdict", "code", "path", "line", "message", "fix", "reason")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("memsight", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--count", type=int, default=100)
    options = parser.parse_args()
    findings = list(everything(options.memsight.resolve(), options.folder.resolve()))
    drawn = random.Random(options.seed).sample(findings, options.count)
    drawn.sort(key=lambda row: (row["code"], row["path"], int(row["line"])))
    known = {key(row): row for row in kept()}
    for row in drawn:
        before = known.get(key(row), {})
        row["verdict"], row["reason"] = before.get("verdict", ""), before.get("reason", "")
    with SAMPLE.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, dialect="excel-tab", lineterminator="\n")
        writer.writeheader()
        writer.writerows(drawn)
    verdicts = collections.Counter(row["verdict"] or "not read yet" for row in drawn)
    print(f"{len(findings)} findings, {len(drawn)} drawn with seed {options.seed}:", dict(verdicts))
    return 0 if verdicts["wrong"] <= 5 and not verdicts["not read yet"] else 1


def everything(memsight, folder):
    """The findings in each source tree, with paths that begin with the tree's name."""
    folder.mkdir(parents=True, exist_ok=True)
    library = pathlib.Path(sysconfig.get_path("stdlib"))
    yield from found(memsight, library, f"cpython-{sys.version_info.major}.{sys.version_info.minor}")
    requirements = [f"{package.name}=={package.version}" for package in packages.PACKAGES]
    for requirement in sorted([*requirements, *packages.ONLY_READ]):
        root = packages.fetch(requirement, folder)
        yield from found(memsight, root, root.name)


def found(memsight, root, name):
    command = [memsight, "check", "--output-format", "json", root]
    done = subprocess.run(command, capture_output=True, text=True)
    if not done.stdout:
        sys.exit(done.stderr)
    for finding in json.loads(done.stdout)["findings"]:
        yield {
            "code": finding["code"],
            "path": f"{name}/{pathlib.Path(finding['path']).relative_to(root)}",
            "line": str(finding["line"]),
            "message": finding["message"],
            "fix": finding["fix"]["applicability"] if finding["fix"] else "none",
        }


def kept():
    if not SAMPLE.exists():
        return []
    with SAMPLE.open(newline="") as file:
        return list(csv.DictReader(file, dialect="excel-tab"))


def key(row):
    return row["code"], row["path"], row["line"], row["message"]


if __name__ == "__main__":
    sys.exit(main())
