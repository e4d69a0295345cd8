"""Targets of numbers that are probably slips, or codes for something else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.findings import NOTE, WARNING, Exhibit, Finding
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.showing import rows_exhibit
from aurify.inspection.tails import far_values
from aurify.measure.target_errors import TargetErrors, normal_scores, of_scores, target_errors

LEAST_ROWS = 60

FEWEST_APART = 3
"""Targets far from all others: one or two are in many a heavy tail (Student t with 2 degrees of freedom)."""

SURELY = 0.01
"""Chance that a tail as long as that of the other targets leads to one that is said to stand apart."""


class TargetOutliers(Check):
    """Gross errors in a target, by what boosted trees that did not see a row say of its rank."""

    needs = frozenset({Trait.CONTINUOUS, Trait.COLUMNS})
    of_target = True

    def look(self, seen: Inspected) -> Iterable[Finding]:
        if seen.classes is not None or len(seen.sampled) < LEAST_ROWS:
            return
        target = seen.sampled.target
        scores = seen.answers_of(replace(seen.sampled, target=normal_scores(target)))
        expected = of_scores(scores, target)
        errors = target_errors(target, expected)
        name = str(seen.schema.target)
        for value, count in errors.codes:
            rows = np.flatnonzero(target == value)
            text = said(
                "{count:,} rows have {value:.12g} as target {target!r}, far from all others: probably a code"
                " for something else",
                count=count,
                value=value,
                target=name,
            )
            fix = said("say that it means a missing value: --missing {value:.12g}", value=value)
            mend = {"source": {"missing": [f"{value:.12g}"]}}
            yield self._wrong(seen, text, fix, rows, expected, mend)
        yield from self._slips(seen, errors, expected, name)

    def _slips(self, seen: Inspected, errors: TargetErrors, expected: np.ndarray, name: str) -> Iterable[Finding]:
        at_source = said("look at the rows named here and mend them at the source, or leave them out")
        if len(errors.sign):
            text = said(
                "{count:,} values of target {target!r} have the opposite sign of what the other columns say",
                count=len(errors.sign),
                target=name,
            )
            yield self._wrong(seen, text, at_source, errors.sign, expected, {})
        if len(errors.decimal):
            text = said(
                "{count:,} values of target {target!r} are 10, 100 or 1,000 times what the other columns say,"
                " or such a part: probably slips of unit or decimal point",
                count=len(errors.decimal),
                target=name,
            )
            yield self._wrong(seen, text, at_source, errors.decimal, expected, {})
        apart = _apart(seen.sampled.target, errors)
        if len(apart):
            others = np.delete(seen.sampled.target, apart)
            text = said(
                "{count:,} values of target {target!r} are far from all others, which are {low:.6g} to {high:.6g}",
                count=len(apart),
                target=name,
                low=float(others.min()),
                high=float(others.max()),
            )
            yield self._wrong(seen, text, at_source, apart, expected, {})
        elif len(errors.far):
            order = errors.far[np.argsort(-np.abs(seen.sampled.target - expected)[errors.far], kind="stable")]
            text = said(
                "{count:,} values of target {target!r} are far from what the other columns say and from most"
                " others: worth a look",
                count=len(order),
                target=name,
            )
            ids = seen.sampled.row[order]
            exhibit = _exhibit(seen, order, expected)
            yield self.found(
                NOTE, text, columns=[name], rows=ids, evidence={"looked_at": len(expected)}, exhibits=[exhibit]
            )

    def _wrong(
        self, seen: Inspected, text: str, fix: str, rows: np.ndarray, expected: np.ndarray, mend: Mapping[str, Any]
    ) -> Finding:
        return self.found(
            WARNING,
            text,
            fix=fix,
            columns=[str(seen.schema.target)],
            rows=seen.sampled.row[rows],
            weight=len(rows) / len(expected),
            evidence={"share": len(rows) / len(expected), "looked_at": len(expected)},
            mend=mend,
            exhibits=[_exhibit(seen, rows, expected)],
        )


def _apart(target: np.ndarray, errors: TargetErrors) -> np.ndarray:
    """Positions of targets that no tail leads to, where no kind of slip explains errors."""
    if len(errors.decimal) or len(errors.sign) or errors.codes:
        return np.empty(0, dtype=np.int64)
    scale = float(np.abs(target).max()) or 1.0
    far = far_values(target / scale, SURELY)
    apart = np.flatnonzero(far.values)
    return apart if far.exceptional and len(apart) >= FEWEST_APART else apart[:0]


def _exhibit(seen: Inspected, rows: np.ndarray, expected: np.ndarray) -> Exhibit:
    given = [f"{value:.6g}" for value in seen.sampled.target[rows].tolist()]
    other = [f"{value:.6g}" for value in expected[rows].tolist()]
    beside = [(said("target"), given), (said("as other rows say"), other)]
    return rows_exhibit(seen, said("Targets that are probably wrong"), seen.sampled.row[rows], beside)
