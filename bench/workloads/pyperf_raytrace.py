"""pyperformance's raytrace: a picture by following rays; floats and short-lived vectors."""

import _bench  # noqa: F401
import _pyperf

_pyperf.load("raytrace").bench_raytrace(1, 160, 160, None)
print("raytrace done")
