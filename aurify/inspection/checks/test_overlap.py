"""Rows of the test part that can be learnt from."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.copies import row_keys
from aurify.data.findings import NOTE, SEVERE, WARNING, Finding
from aurify.inspection.alike import groups_of, inputs_of, side_by_side, telling
from aurify.inspection.chance import beyond_chance
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected

FEW = 0.01
MANY = 0.1
"""Shares of the test part that matter, and that spoil what it measures."""

FEWEST = 10
"""Rows below which nothing is stopped."""

RATIO = 3.0
"""How many times the odds of a training row to have an equal one, for more than chance."""

SURELY = 1e-4
"""Chance of so high a count where test rows are as training rows are among themselves."""


class TestOverlap(Check):
    """Test rows with the inputs of a training row, against how many training rows have an equal one.

    Were test rows drawn as training rows are, as many of them would have one: equal rows of few categories are no
    accident. Targets of the test part are not looked at.
    """

    needs = frozenset({Trait.COLUMNS})

    def look(self, seen: Inspected) -> Iterable[Finding]:
        every = np.concatenate([seen.rows, seen.test])
        tables = inputs_of(seen, every)
        if not tables or not len(seen.rows):
            return
        which, sizes = groups_of(row_keys(tables))
        if len(seen.test):
            yield from self._shared(seen, which, len(sizes))
        elif "group" in seen.store.roles:
            yield from self._astray(seen, which, len(sizes))

    def _shared(self, seen: Inspected, which: np.ndarray, groups: int) -> Iterable[Finding]:
        own, tested = which[: len(seen.rows)], which[len(seen.rows) :]
        known = np.bincount(own, minlength=groups)
        shared = np.flatnonzero(known[tested] > 0)
        if not len(shared):
            return
        share, usual = len(shared) / len(tested), float((known[own] > 1).mean())
        beyond = _beyond(len(shared), len(tested), usual, len(own))
        long = telling(seen, seen.test[shared])
        if long is not None:  # nobody writes a long text twice, however many stand twice elsewhere
            beyond = beyond_chance(len(shared), float((~long).sum()))
        severe = beyond and share > MANY and len(shared) >= FEWEST
        severity = SEVERE if severe else WARNING if beyond and share >= FEW else NOTE
        where = said("of the test file") if seen.store.test.any() else said("of the test part")
        text = said(
            "{rows:,} rows {where} ({share:.2%}) have the same inputs as a training row;"
            " of training rows {usual:.2%} have an equal one",
            rows=len(shared),
            where=where,
            share=share,
            usual=usual,
        )
        pairs = [[int(seen.rows[np.argmax(own == tested[at])]), int(seen.test[at])] for at in shared[:3]]
        yield self.found(
            severity,
            text,
            fix="" if severity == NOTE else said("leave these rows out of the training data, or test on others"),
            rows=seen.test[shared],
            weight=share,
            evidence={"share": share, "among_training_rows": usual, "beyond_chance": beyond},
            exhibits=[side_by_side(seen, pairs, said("a training row, and the row of the test part that equals it"))],
        )

    def _astray(self, seen: Inspected, which: np.ndarray, groups: int) -> Iterable[Finding]:
        """Equal rows in two groups, which folds by groups may part."""
        group = np.asarray(seen.store.roles["group"][seen.rows])
        low, high = np.full(groups, np.iinfo(np.int64).max), np.full(groups, np.iinfo(np.int64).min)
        np.minimum.at(low, which, group)
        np.maximum.at(high, which, group)
        astray = np.flatnonzero((high > low)[which])
        if len(astray):
            text = said("{rows:,} rows have the same inputs as a row of another group", rows=len(astray))
            yield self.found(NOTE, text, rows=seen.rows[astray], weight=len(astray) / len(which))


def _beyond(shared: int, tested: int, usual: float, own: int) -> bool:
    """Whether so many of the rows tested are far more than the usual share, known from ``own`` rows."""
    from scipy.stats import binom

    odds = (shared + 0.5) / (tested - shared + 0.5)
    at_most = min(1.0, usual + 0.5 / own)  # half a row: where none has an equal one, the next may
    return bool(binom.sf(shared - 1, tested, at_most) < SURELY and odds * (1 - usual) > RATIO * usual)
