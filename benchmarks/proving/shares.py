"""Shares with exact bounds."""

from __future__ import annotations

from typing import Any

LEVEL = 0.95


def share(found: int, count: int) -> dict[str, Any]:
    """A share with its exact 95 % interval, and the exact 95 % bounds of one side each (Clopper & Pearson 1934)."""
    from scipy.stats import beta, binomtest

    if not count:
        return {"count": 0, "found": 0, "rate": None}
    reach = binomtest(found, count).proportion_ci(method="exact")
    least = float(beta.ppf(1 - LEVEL, found, count - found + 1)) if found else 0.0
    most = float(beta.ppf(LEVEL, found + 1, count - found)) if found < count else 1.0
    shown = {"low": reach.low, "high": reach.high, "at_least": least, "at_most": most}
    rates = {name: round(float(value), 4) for name, value in {"rate": found / count, **shown}.items()}
    return {"count": count, "found": int(found), **rates}
