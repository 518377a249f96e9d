"""pyperformance's deltablue: a solver of one-way constraints, many small objects."""

import _bench  # noqa: F401
import _pyperf

deltablue = _pyperf.load("deltablue")
for _ in range(180):
    deltablue.delta_blue(100)
print("deltablue done")
