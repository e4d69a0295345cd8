"""Bayesian beside random search on two tables, as `aurify.tune(compare=...)` compares them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.tuning import contestants
from benchmarks.tuning.tables import RACE, Table

METHODS = ("random", "bayes")


def compare(trials: int, repeats: int, workers: int, on: Sequence[str]) -> dict[str, Any]:
    named = [table for table in RACE if not on or table.name in on]
    found = {t.name: {"skipped": t.lacking} if t.lacking else _compared(t, trials, repeats, workers) for t in named}
    return {"benchmark": "tune tables", "trials": trials, "repeats": repeats, "tables": found}


def _compared(table: Table, trials: int, repeats: int, workers: int) -> dict[str, Any]:
    """Not worse: the interval of the re-measured difference to random search reaches 0 or lies on its better side."""
    words = {"trials": trials, "compare": list(METHODS), "repeats": repeats, "method": METHODS[0]}
    with tempfile.TemporaryDirectory(prefix="aurify-compare-") as place:
        made = contestants.aurify(table, 0, workers, words, Path(place))
    rows = {row["method"]: row for row in made["found"]["compare"]["table"]}
    edge = rows["bayes"]["difference_high"]  # ROC AUC: greater is better
    return {"rows": list(rows.values()), "seconds": made["seconds"], "not_worse": edge is not None and edge >= 0}
