"""A target that stops at a limit: what is beyond it was written as the limit itself."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.findings import NOTE, WARNING, Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected

LEAST_ROWS = 100
LEAST_HIT = 10
LEAST_SHARE = 0.005
NEAR = 0.05
"""Share of the rows next to the limit whose values are what is usual there."""

TIMES = 5.0
"""How many rows the limit must have for each of the most frequent value near it."""

LEAST_VALUES = 50
"""Different values below which a target is a score or a count with natural ends."""

EDGES_APART = 0.5
"""Distance from the limit to the next value, in spreads of the middle half, beyond which it is a mark and no limit."""


class CappedTarget(Check):
    """Many rows at the very end of a target's range (Tobin 1958, censored responses), where few are next to it."""

    needs = frozenset({Trait.CONTINUOUS})
    of_target = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if seen.classes is not None or len(seen.target) < LEAST_ROWS:
            return
        values, counts = np.unique(seen.target, return_counts=True)
        name = str(seen.schema.target)
        zero = int(counts[values == 0].sum())
        if (
            values[0] == 0
            and zero >= LEAST_HIT
            and zero >= LEAST_SHARE * len(seen.target)
            and _stands_out(values, counts)
        ):
            yield self._zeros(name, zero, seen)
        if len(values) < LEAST_VALUES:
            return
        for above in (True, False):
            ends = (values, counts) if not above else (-values[::-1], counts[::-1])
            limit = float(values[-1] if above else values[0])
            if limit != 0 and _stands_out(*ends) and _next_to(*ends):
                yield self._capped(name, limit, int(ends[1][0]), seen, above=above)

    def _capped(self, name: str, limit: float, count: int, seen: Inspected, *, above: bool) -> Finding:
        share = count / len(seen.target)
        if above:
            text = said(
                "target {target!r} seems to be cut at {limit:.12g}: {count:,} rows ({share:.1%}) hold its"
                " largest value",
                target=name,
                limit=limit,
                count=count,
                share=share,
            )
            fix = said("leave these rows out, or take an answer near {limit:.12g} as that or more", limit=limit)
        else:
            text = said(
                "target {target!r} seems to be cut at {limit:.12g}: {count:,} rows ({share:.1%}) hold its"
                " smallest value",
                target=name,
                limit=limit,
                count=count,
                share=share,
            )
            fix = said("leave these rows out, or take an answer near {limit:.12g} as that or less", limit=limit)
        return self.found(
            WARNING,
            text,
            fix=fix,
            columns=[name],
            rows=seen.rows[seen.target == limit],
            weight=share,
            evidence={"limit": limit, "rows": count, "share": share},
        )

    def _zeros(self, name: str, count: int, seen: Inspected) -> Finding:
        share = count / len(seen.target)
        text = said("{share:.1%} of the values of target {target!r} are exactly 0", share=share, target=name)
        fix = said("if 0 means that nothing happened, first learn whether, then how much: two models")
        return self.found(NOTE, text, fix=fix, columns=[name], evidence={"share": share, "rows": count})


def _stands_out(values: np.ndarray, counts: np.ndarray) -> bool:
    """Whether the first of ascending values holds far more rows than any other near it, as no density does."""
    rows = int(counts.sum())
    hit = int(counts[0])
    if hit < LEAST_HIT or hit < LEAST_SHARE * rows:
        return False
    near = counts[1:][np.cumsum(counts[1:]) <= max(NEAR * rows, hit)]
    # a mode of rounded values, such as prices of 100, has neighbours that are as frequent
    most = int(max(near.max(initial=1), counts[1] if len(counts) > 1 else 1))
    return hit >= TIMES * most


def _next_to(values: np.ndarray, counts: np.ndarray) -> bool:
    """Whether other values reach up to the first: a mark such as -999 lies apart from them."""
    low, high = np.quantile(np.repeat(values[1:], counts[1:]), (0.25, 0.75))
    return values[1] - values[0] <= EDGES_APART * (high - low)
