"""How many rows a model may be asked about, where it may be a slow one."""

from __future__ import annotations

import time

import numpy as np

from aurify.measure.places import Inputs, Respond, rows_of

TRIED = 32


def affordable(respond: Respond, inputs: Inputs, most: int, seconds: float) -> int:
    """``most`` rows, or where they would take longer than that a quarter, a sixteenth, ... of them.

    Steps so large keep what a fast model is asked about the same on every machine.
    """
    count = min(TRIED, len(next(iter(inputs.values()))))
    if not count:
        return most
    at = np.arange(count)
    respond(rows_of(inputs, at[:1]), at[:1])  # what loads at the first call costs no more later
    began = time.perf_counter()
    respond(rows_of(inputs, at), at)
    each = (time.perf_counter() - began) / count
    while most > 1 and most * each > seconds:
        most = most // 4
    return max(1, most)
