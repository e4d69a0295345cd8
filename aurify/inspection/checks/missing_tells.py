"""Columns whose gaps tell something of the target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from aurify.core.errors import listing
from aurify.core.words import Said, said
from aurify.data.findings import NOTE, Finding
from aurify.inspection.check import Check
from aurify.inspection.gaps import LEAST, Gaps, chance_of
from aurify.inspection.inspected import Inspected

LEVEL = 0.001
"""Chance of a false alarm in all columns together (Bonferroni)."""


@dataclass(frozen=True)
class _Told:
    name: str
    chance: float
    text: Said
    rows: int


class MissingTells(Check):
    """Gaps after which the target is another one than elsewhere: rows that were filled in by hand or afterwards."""

    of_target = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        gaps = seen.once(Gaps.of)
        found = []
        for at, name in enumerate(gaps.names):
            gone = gaps.missing[seen.rows, at]
            if LEAST <= gone.sum() <= len(gone) - LEAST:
                told = _of_classes(seen, name, gone) if seen.classes else _of_numbers(seen, name, gone)
                found += [told] if told.chance * len(gaps.names) < LEVEL else []
        if not found:
            return
        found.sort(key=lambda told: told.chance)
        names = [told.name for told in found]
        what = found[0].text
        if len(found) > 1:
            what = said("{first}; gaps in {names} tell of it too", first=what, names=listing(names[1:], 3))
        fix = said("fine if new rows will lack it for the same reason; a leak if it is filled in afterwards")
        chances = {told.name: float(f"{told.chance:.3g}") for told in found[:50]}
        yield self.found(NOTE, what, fix=fix, columns=names, count=found[0].rows, evidence={"chance": chances})


def _of_classes(seen: Inspected, name: str, gone: np.ndarray) -> _Told:
    """The class whose share differs most; chance by Fisher's exact test, or chi-square."""
    assert seen.classes is not None
    counts = np.stack([np.bincount(seen.target[g], minlength=len(seen.classes)) for g in (gone, ~gone)])
    chance = chance_of(counts)
    shares = counts / counts.sum(1, keepdims=True)
    at = len(seen.classes) - 1 if len(seen.classes) == 2 else int(np.abs(shares[0] - shares[1]).argmax())
    text = said(
        "where {column!r} is missing {share:.1%} are {label!r}, elsewhere {other:.1%}",
        column=name,
        share=float(shares[0, at]),
        label=seen.classes[at],
        other=float(shares[1, at]),
    )
    return _Told(name, chance, text, int(gone.sum()))


def _of_numbers(seen: Inspected, name: str, gone: np.ndarray) -> _Told:
    """Medians of the target; chance by a rank test (Mann & Whitney 1947)."""
    from scipy.stats import mannwhitneyu

    one, other = seen.target[gone], seen.target[~gone]
    text = said(
        "where {column!r} is missing the target's median is {one:.6g}, elsewhere {other:.6g}",
        column=name,
        one=float(np.median(one)),
        other=float(np.median(other)),
    )
    return _Told(name, float(mannwhitneyu(one, other).pvalue), text, int(gone.sum()))
