"""Times a snapshot of the object graph beside what objgraph, guppy3 and pympler need.

    python speed.py MEMSIGHT FOLDER [--objects N] [--rounds N] [--alone]

objgraph counts the types of what the collector tracks, guppy3 and pympler those of
all objects; memsight keeps every object with its references, block and allocation
site. The pause is by how much longer the program takes from its last line to its end
than without the graph; the snapshot, by how much longer the capture does; then comes
`memsight heap` on the capture.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import time
import venv

PEERS = {"objgraph": "objgraph==3.6.2", "guppy3": "guppy3==3.1.5", "pympler": "Pympler==1.1"}
PROGRAM = pathlib.Path(__file__).with_name("program.py")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("memsight", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--objects", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--alone", action="store_true", help="leave the other tools out")
    options = parser.parse_args()
    folder = options.folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    python = environment(folder / "venv")
    memsight = options.memsight.resolve()
    taken = {name: [] for name in [*PEERS, "pause", "snapshot", "memsight heap"]}
    grown = {name: [] for name in taken}
    for _ in range(options.rounds):
        for peer in () if options.alone else PEERS:
            took, growth, _ = figures([python, PROGRAM, options.objects, peer])
            taken[peer].append(took)
            grown[peer].append(growth)
        plain = ended(memsight, python, folder, options.objects, [])
        whole = ended(memsight, python, folder, options.objects, ["--heap", "exit"])
        taken["pause"].append(whole[0] - plain[0])
        taken["snapshot"].append(whole[1] - plain[1])
        grown["snapshot"].append(whole[2] - plain[2])
        start = time.perf_counter()
        heap = subprocess.Popen([memsight, "heap", folder / "run.msight"], stdout=subprocess.DEVNULL)
        _, _, usage = os.wait4(heap.pid, 0)
        taken["memsight heap"].append(time.perf_counter() - start)
        grown["memsight heap"].append(usage.ru_maxrss * 1024)
    print(f"{options.objects} objects, medians of {options.rounds} rounds (min to max)")
    ours = statistics.median(taken["snapshot"])
    for name, times in taken.items():
        if not times:
            continue
        more = f"  {statistics.median(times) / ours:5.1f} times the snapshot" if name in PEERS else ""
        growth = f"{statistics.median(grown[name]) / 1e6:8.0f} MB" if grown[name] else " " * 11
        print(f"{name:14} {statistics.median(times):7.2f} s ({min(times):.2f} to {max(times):.2f}) {growth}{more}")


def environment(folder):
    python = folder / "bin/python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PEERS.values()], check=True)
    return python


def figures(command):
    said = subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True)
    return [float(word) for word in said.stdout.split()]


def ended(memsight, python, folder, objects, options):
    """Seconds from the program's last line to its end and to the capture's, and the most it was resident."""
    capture = folder / "run.msight"
    capture.unlink(missing_ok=True)
    words = [memsight, "run", "-q", *options, "-o", capture, "--python", python, "--", PROGRAM, objects, "none"]
    run = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, text=True)
    last = float(run.stdout.read().split()[2])
    ended = time.clock_gettime(time.CLOCK_MONOTONIC)
    _, status, usage = os.wait4(run.pid, 0)
    run.returncode = os.waitstatus_to_exitcode(status)
    if run.returncode:
        sys.exit(f"memsight run ended with {run.returncode}")
    return ended - last, time.clock_gettime(time.CLOCK_MONOTONIC) - last, usage.ru_maxrss * 1024


if __name__ == "__main__":
    main()
