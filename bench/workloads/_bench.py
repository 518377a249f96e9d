"""What every workload shares: at exit, say how much memory the process needed.

The benchmark names a file in MEMSIGHT_BENCH_RSS; into it goes `VmHWM`, the most
that was ever resident, in bytes. `getrusage` would not do: across `exec` it
keeps the parent's figure.
"""

import atexit
import os


def _note_peak_rss(path):
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                kilobytes = int(line.split()[1])
                with open(path, "w") as out:
                    out.write(str(kilobytes * 1024))


if os.environ.get("MEMSIGHT_BENCH_RSS"):
    atexit.register(_note_peak_rss, os.environ["MEMSIGHT_BENCH_RSS"])
