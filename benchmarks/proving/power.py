"""Verdicts on planted effects at least as large as the ledger says it would see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.proving.ledgers import ledger
from benchmarks.proving.shares import share
from benchmarks.proving.tables import ROWS, Kind
from benchmarks.proving.verdicts import Case, Row, dealt, made, rows_of

KINDS = (
    (Kind("classes", ROWS), 0.2),
    (Kind("classes", 4 * ROWS), 0.2),
    (Kind("numbers", ROWS), 0.2),
    (Kind("numbers", 4 * ROWS), 0.2),
    (Kind("weather", ROWS), 0.2),
)

SWEEPS: Mapping[str, Sequence[str]] = {
    "classes": ("exclude_columns.columns=[x0],[x1],[x2],[x3]", "dropout.rate=0.6,0.9", "known_labels.share=0.5,1.0"),
    "numbers": ("exclude_columns.columns=[x0],[x1],[x2],[x3]", "dropout.rate=0.6,0.9"),
    "weather": (
        "exclude_columns.columns=[Humidity3pm],[Pressure3pm],[WindGustSpeed],[Sunshine]",
        "dropout.rate=0.6,0.9",
    ),
}
"""Columns hidden, most units silenced, wrong labels corrected: of each effect some sizes."""

NEAR = 1.5
"""Effects up to so many times what is seen are looked at by themselves: larger ones are easily found."""

TARGET = 0.9


def power(sets: int, seeds: str, workers: int, kept: Path | None) -> dict[str, Any]:
    """Make the ledgers and count."""
    return counted(made(case_rows, dealt(KINDS, sets, seeds), workers, kept))


def case_rows(case: Case) -> list[Row]:
    frame = case.kind.frame(case.seeds, case.first, case.number).drop("shuffled 1", "shuffled 2")
    return rows_of(case, ledger(frame, case.kind.target, SWEEPS[case.kind.base], seed=case.seed))


def counted(rows: Sequence[Row]) -> dict[str, Any]:
    """Right verdicts of effects that are seen, the true effect being the mean over data sets of a kind."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.kind, row.name), []).append(row)
    means = {key: float(np.mean([row.gain for row in of])) for key, of in groups.items()}
    seen = [(row, mean) for row in rows if abs(mean := means[row.kind, row.name]) >= row.sees]
    near = [(row, mean) for row, mean in seen if abs(mean) <= NEAR * row.sees]
    found, told = _right(seen), [row for row in rows if row.verdict in ("helps", "hurts")]
    against = sum(row.gain * means[row.kind, row.name] < 0 for row in told)
    return {
        "benchmark": "ledger power",
        "data_sets": {kind: len({r.number for r in rows if r.kind == kind}) for kind in {r.kind for r in rows}},
        "rows": len(rows),
        "right_verdicts_of_effects_seen": found,
        "right_verdicts_of_effects_up_to_1.5_times_seen": _right(near),
        "verdicts_against_the_truth": share(against, len(told)),
        "sees_median": {kind: _median([r for r in rows if r.kind == kind]) for kind in {r.kind for r in rows}},
        "effects": [
            {
                "kind": kind,
                "what": name,
                "true_effect": round(means[kind, name], 5),
                "true_effect_standard_error": round(float(np.std([r.gain for r in of], ddof=1)) / len(of) ** 0.5, 5),
                "sees_median": _median(of),
                "helps": sum(r.verdict == "helps" for r in of),
                "hurts": sum(r.verdict == "hurts" for r in of),
                "of": len(of),
            }
            for (kind, name), of in groups.items()
        ],
        "pairs": {str(n): sum(r.pairs == n for r in rows) for n in sorted({r.pairs for r in rows})},
        "target": TARGET,
        "met": bool(found["count"]) and found["rate"] >= TARGET,
    }


def _right(rows: Sequence[tuple[Row, float]]) -> dict[str, Any]:
    return share(sum(row.verdict == ("helps" if mean > 0 else "hurts") for row, mean in rows), len(rows))


def _median(rows: Sequence[Row]) -> float:
    return round(float(np.median([row.sees for row in rows])), 5)
