"""Nothing: what the interpreter and the harness cost by themselves."""

import _bench  # noqa: F401
