"""Numbers that people and programs write where a value is missing."""

from __future__ import annotations

import numpy as np

NINES = tuple(float("9" * digits) for digits in range(2, 11))
EIGHTS = tuple(float("8" * digits) for digits in range(2, 8))
TENTHS = (99.9, 999.9, 9999.9, 99.99, 999.99, 9999.99)
LIMITS = (32767.0, 65535.0, 2147483647.0, 4294967295.0, 32768.0, 2147483648.0, 1e20, 1e30, 9.96920996838687e36, 1e37)
LARGE = (*NINES, *EIGHTS, *TENTHS, *LIMITS)
CODES = frozenset({-1.0, -9.0, *LARGE, *(-value for value in LARGE)})
"""Runs of nines and eights, ends of whole numbers, and fill values of file formats."""

LEAST = 2
"""Rows that a code must be in: one alone is a far value, of which ``outliers`` tells."""

FEWEST = 20
"""Other values without which nobody can say what is far."""

WIDE = 1.0
"""How many times the whole range of the other values the gap to them must be."""

SPIKE = 5
"""How many times more rows a code inside the range must have than any other value."""

SPIKE_ROWS, SPIKE_VALUES = 10, 50
ZERO_GAP = 0.25


def without_codes(values: np.ndarray) -> np.ndarray:
    """The values (n,) that are no codes, and no zeros far from all others."""
    distinct, counts = np.unique(values, return_counts=True)
    codes = [*codes_in(distinct, counts), *([0.0] if zero_apart(distinct, counts) else [])]
    return values[~np.isin(values, codes)] if codes else values


def codes_in(values: np.ndarray, counts: np.ndarray) -> list[float]:
    """Which of the different values (v,), ascending, are codes: from either end as long as they stand apart."""
    found: list[float] = []
    while len(values) > 2 and counts[:-1].sum() >= FEWEST:
        if _apart(values, counts):
            found.append(float(values[-1]))
            values, counts = values[:-1], counts[:-1]
        elif _apart(-values[::-1], counts[::-1]) or _minus_one(values, counts):
            found.append(float(values[0]))
            values, counts = values[1:], counts[1:]
        else:
            break
    if len(values) >= SPIKE_VALUES:
        top = int(counts.argmax())
        second = int(np.partition(counts, -2)[-2])
        code = float(values[top])
        if code in CODES and abs(code) > 9 and counts[top] >= max(SPIKE_ROWS, SPIKE * second):
            found.append(code)
    return found


def _apart(values: np.ndarray, counts: np.ndarray) -> bool:
    """Whether the largest value is a code, in several rows, and farther from the others than they are wide."""
    if float(abs(values[-1])) not in CODES or float(values[-1]) in (-1.0, 9.0) or counts[-1] < LEAST:
        return False
    inner = values[:-1]
    if len(inner) > 2 and float(abs(inner[0])) in CODES:  # -999 at the other end would hide 9999
        inner = inner[1:]
    return bool(values[-1] - inner[-1] >= WIDE * (inner[-1] - inner[0]) and inner[-1] > inner[0])


def _minus_one(values: np.ndarray, counts: np.ndarray) -> bool:
    """Whether -1 is the only value below 0 of a column with many others."""
    return bool(values[0] == -1.0 and values[1] >= 0 and counts[0] > LEAST and len(values) > FEWEST)


def zero_apart(values: np.ndarray, counts: np.ndarray) -> bool:
    """Whether several rows are 0 and the next value is far from it beside what the others differ by."""
    if len(values) <= FEWEST or values[0] != 0 or counts[0] <= LEAST:
        return False
    return bool(values[1] >= ZERO_GAP * (values[-1] - values[1]))
