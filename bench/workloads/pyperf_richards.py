"""pyperformance's richards: the kernel of an operating system, simulated; many calls."""

import _bench  # noqa: F401
import _pyperf

print(_pyperf.load("richards").Richards().run(16))
