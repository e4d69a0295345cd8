"""Verdicts on ingredients that change a training and, on average, not its result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.proving.ledgers import ledger
from benchmarks.proving.shares import share
from benchmarks.proving.tables import ROWS, Kind
from benchmarks.proving.verdicts import Case, Row, dealt, made, rows_of

KINDS = (
    (Kind("weather", ROWS), 0.50),
    (Kind("weather", 4 * ROWS), 0.18),
    (Kind("classes", ROWS), 0.16),
    (Kind("numbers", ROWS), 0.16),
)

SWEEPS = ("other_weights.key=1", "other_order.key=1", "other_masks.key=1", "shuffled_column.key=2,0")

SHOWN = "shuffled_column=0"
"""No shuffled column beside one: of this row alone the true effect is not exactly 0, but what it is on average."""

WORTH = 0.03
"""What is worth knowing, so that every number of pairs occurs; in every fourth ledger it is the package's own."""

LEVEL = 0.05


def placebo(sets: int, seeds: str, workers: int, kept: Path | None) -> dict[str, Any]:
    """Make the ledgers and count."""
    cases = [replace(c, worth=WORTH if c.number % 4 else None) for c in dealt(KINDS, sets, seeds)]
    return counted(made(case_rows, cases, workers, kept))


def case_rows(case: Case) -> list[Row]:
    frame = case.kind.frame(case.seeds, case.first, case.number)
    techniques = {"shuffled_column": {"key": 1}}
    made = ledger(frame, case.kind.target, SWEEPS, seed=case.seed, techniques=techniques, worth=case.worth)
    assert made["apart"] == (case.kind.rows > ROWS)
    return rows_of(case, made)


def counted(rows: Sequence[Row]) -> dict[str, Any]:
    """Wrong verdicts, of one row without and of a whole ledger with the correction for many."""
    rows = [replace(row, name=row.name.replace(".key", "")) for row in rows]
    exact = [row for row in rows if row.name != SHOWN]
    ledgers = {(row.kind, row.number) for row in rows}
    means = {kind: float(np.mean([r.gain for r in rows if r.kind == kind and r.name == SHOWN])) for kind, _ in ledgers}
    told = [row for row in rows if row.verdict in ("helps", "hurts")]
    false = {(r.kind, r.number) for r in told if r.name != SHOWN or r.gain * means[r.kind] < 0}
    every = {(r.kind, r.number) for r in told}
    by_name = {name: [r for r in rows if r.name == name] for name in dict.fromkeys(r.name for r in rows)}
    by_kind = {kind: [r for r in exact if r.kind == kind] for kind in dict.fromkeys(r.kind for r in rows)}
    errors, wrong = _errors(exact), share(len(false), len(ledgers))
    return {
        "benchmark": "ledger placebo",
        "data_sets": {kind: len({r.number for r in of}) for kind, of in by_kind.items()},
        "unadjusted_errors": errors,
        "unadjusted_errors_note": "rows of one ledger resemble one another: bounds of the pooled share are too close",
        "unadjusted_errors_by_placebo": {name: _errors(of) for name, of in by_name.items() if name != SHOWN},
        "unadjusted_errors_by_kind": {kind: _errors(of) for kind, of in by_kind.items()},
        "shuffled_column_hidden": {**_errors(by_name[SHOWN]), "mean_gain_by_kind": means},
        "ledgers_with_a_false_verdict": wrong,
        "ledgers_with_any_verdict": share(len(every), len(ledgers)),
        "pairs": {str(n): sum(r.pairs == n for r in rows) for n in sorted({r.pairs for r in rows})},
        "target": LEVEL,
        "met": errors["at_least"] <= LEVEL and wrong["at_least"] <= LEVEL,
        "met_by_rate": errors["rate"] <= LEVEL and wrong["rate"] <= LEVEL,
    }


def _errors(rows: Sequence[Row]) -> dict[str, Any]:
    """How often p is small of rows whose true effect is 0."""
    return share(sum(row.p <= LEVEL for row in rows), len(rows))
