"""Objects of types that misbehave, beside others."""

import sys

import awkward


class Found:
    pass


kept = [getattr(awkward, name)(Found()) for name in sys.argv[1:]]
rows = [Found() for _ in range(100)]
print(len(kept))
sys.exit(7)
