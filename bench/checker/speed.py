"""Times the checker beside ruff on the standard library, in turn, and compares the medians.

    python speed.py MEMSIGHT RUFF [--rounds N]
"""

import argparse
import os
import pathlib
import statistics
import sysconfig

RULES_OF_RUFF = "PERF,C4,FURB,SIM,RUF,B"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("memsight", type=pathlib.Path)
    parser.add_argument("ruff", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    library = sysconfig.get_path("stdlib")
    files = sum(1 for path in pathlib.Path(library).rglob("*.py") if "site-packages" not in path.parts)
    commands = {
        "memsight check": [options.memsight, "check", library],
        "ruff check": [
            options.ruff, "check", "--isolated", "--no-cache", "--quiet", "--exclude", "site-packages",
            "--select", RULES_OF_RUFF, library,
        ],
    }
    measured = {name: [] for name in commands}
    for _ in range(options.rounds):
        for name, command in commands.items():
            measured[name].append(run(list(map(str, command))))
    print(f"{files} files, {options.rounds} rounds, median (least to most)")
    for name, runs in measured.items():
        cpu, kilobytes = zip(*runs)
        print(
            f"{name:<16} {statistics.median(cpu):.2f} s CPU ({min(cpu):.2f} to {max(cpu):.2f})"
            f"  {max(kilobytes) / 1000:.0f} MB resident"
        )
    ours, ruffs = ([cpu for cpu, _ in runs] for runs in measured.values())
    ratios = [one / other for one, other in zip(ours, ruffs)]
    print(f"ratio            {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


def run(command):
    """CPU seconds and the most kilobytes resident of one run, whose output goes nowhere."""
    pid = os.posix_spawn(
        command[0],
        command,
        os.environ,
        file_actions=[(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_WRONLY, 0) for fd in (1, 2)],
    )
    _, status, usage = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise SystemExit(f"{command[0]} ended with {status}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


if __name__ == "__main__":
    main()
