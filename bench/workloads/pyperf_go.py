"""pyperformance's go: a player of Go by random games; lists, sets and integers."""

import _bench  # noqa: F401
import _pyperf

go = _pyperf.load("go")
print([go.versus_cpu() for _ in range(6)])
