"""How many processor cores this process may fill."""

from __future__ import annotations

import os

VARIABLE = "AURIFY_CORES"
"""Set by those who begin processes side by side, so that each of them fills one core; a user may set it too."""


def cores() -> int:
    """Those the system lets this process run on, or as many as ``AURIFY_CORES`` says."""
    given = os.environ.get(VARIABLE, "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
