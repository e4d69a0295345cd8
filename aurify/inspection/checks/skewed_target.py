"""A target whose few largest values would outweigh all others."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.findings import NOTE, Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected

LEAST_ROWS = 100
SHARE = 0.01
HEAVY = 0.5
"""Share of all squared distance from the mean that the farthest hundredth of the rows must have: 0.07 where normal."""

HELPED = 0.5
"""How much of that share logarithms must take away."""


class SkewedTarget(Check):
    """A positive target with a long tail, of which a logarithm is easier to learn."""

    needs = frozenset({Trait.CONTINUOUS})
    of_target = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        target = seen.target
        if seen.classes is not None or len(target) < LEAST_ROWS or not (target > 0).all():
            return
        heavy, after = _share(target / target.max()), _share(np.log(target))
        if heavy < HEAVY or after > HELPED * heavy:
            return
        name = str(seen.schema.target)
        text = said(
            "target {target!r} has a long tail: the farthest 1 % of its values make {share:.0%} of the squared error of"
            " the mean, {after:.0%} of their logarithms'",
            target=name,
            share=heavy,
            after=after,
        )
        yield self.found(
            NOTE,
            text,
            fix=said(
                "learn its logarithm, a column of your own, where errors matter in per cent; read MAE beside RMSE"
            ),
            columns=[name],
            evidence={"share": heavy, "of_logarithms": after},
        )


def _share(values: np.ndarray) -> float:
    """What part of all squared distance from the mean the farthest hundredth of the values (n,) has."""
    away = np.sort((values - values.mean()) ** 2)
    whole = float(away.sum())
    return float(away[-max(1, round(SHARE * len(away))) :].sum()) / whole if whole > 0 else 0.0
