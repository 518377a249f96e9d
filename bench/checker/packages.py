"""The packages of PyPI that the checker is tried on, and how their own tests are run.

Versions are pinned, so that a sample of findings can be read again.
"""

import dataclasses
import pathlib
import subprocess
import sys
import tarfile


@dataclasses.dataclass(frozen=True)
class Package:
    """A source distribution whose tests come with it."""

    name: str
    version: str
    sources: str
    """The folder of its own code, from the folder that its archive unpacks to."""
    import_from: str
    """The folder that is put on the path, so that this copy is what is imported."""
    tests: tuple[str, ...]
    """What pytest is given, in the archive's folder."""
    needs: tuple[str, ...] = ()
    """What its tests need besides pytest."""


# They drive terminals.
MPMATH_LEFT_OUT = ("--ignore=mpmath/tests/test_cli.py", "--ignore=mpmath/tests/test_demos.py")

PACKAGES = (
    Package("boltons", "26.2.0", "boltons", ".", ("tests",)),
    Package("docutils", "0.23", "docutils", ".", ("test",)),
    Package("more-itertools", "11.2.1", "more_itertools", ".", ("tests",)),
    Package("mpmath", "1.4.1", "mpmath", ".", ("mpmath/tests", *MPMATH_LEFT_OUT), ("hypothesis",)),
    Package("networkx", "3.2.1", "networkx", ".", ("networkx/algorithms", "networkx/classes", "networkx/utils")),
    Package("pygments", "2.21.0", "pygments", ".", ("tests",), ("wcag-contrast-ratio",)),
    Package("pyparsing", "3.3.3", "pyparsing", ".", ("tests",), ("railroad-diagrams", "jinja2")),
    Package("toolz", "1.2.0", "toolz", ".", ("toolz",)),
)

ONLY_READ = ("click==8.5.1", "markdown==3.11.3", "tabulate==0.10.0")
"""Packages whose findings are sampled too, though their tests are not run."""


def fetch(requirement, folder):
    """Downloads a source distribution and unpacks it; gives its folder."""
    name = requirement.replace("==", "-")
    unpacked = folder / name
    if not unpacked.is_dir():
        archives = folder / "archives"
        archives.mkdir(parents=True, exist_ok=True)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*pip, "--dest", str(archives), requirement], check=True)
        (archive,) = archives.glob(f"{name.replace('-', '?')}.tar.gz")
        beside = folder / f"{name}.part"
        with tarfile.open(archive) as tar:
            tar.extractall(beside, filter="data")
        (top,) = beside.iterdir()
        top.rename(unpacked)
        beside.rmdir()
    return pathlib.Path(unpacked)
