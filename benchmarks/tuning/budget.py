"""Scores after the same seconds, beside AutoGluon's presets: same rows, same cores, one after the other."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aurify.measure.intervals import Difference, differences
from benchmarks.tuning import contestants
from benchmarks.tuning.cache import Cache
from benchmarks.tuning.tables import BUDGET, Table

PRESETS = ("medium_quality", "best_quality")
VERDICTS = {"better": "win", "worse": "loss", "no measurable difference": "tie"}


@dataclass(frozen=True)
class Budget:
    """``python`` is that of AutoGluon's environment."""

    cache: Cache
    seconds: float
    seed: int
    cores: int
    python: Path
    on: Sequence[str]

    def run(self) -> dict[str, Any]:
        named = [table for table in BUDGET if not self.on or table.name in self.on]
        found = {t.name: {"skipped": t.lacking} if t.lacking else self.compared(t) for t in named}
        verdicts = {p: [row[p]["verdict"] for row in found.values() if "verdict" in row.get(p, {})] for p in PRESETS}
        return {
            "benchmark": "tune budget",
            "limit_seconds": self.seconds,
            "seed": self.seed,
            "cores": self.cores,
            "tables": found,
            "count": {p: {word: v.count(word) for word in VERDICTS.values()} for p, v in verdicts.items()},
            "met": {p: bool(v) and 2 * sum(word != "loss" for word in v) >= len(v) for p, v in verdicts.items()},
        }

    def peers_alone(self) -> dict[str, Any]:
        named = [table for table in BUDGET if (not self.on or table.name in self.on) and not table.lacking]
        found = {t.name: {p: _told(self.of_autogluon(t, p)) for p in PRESETS} for t in named}
        return {"benchmark": "tune budget, peers alone", "limit_seconds": self.seconds, "tables": found}

    def compared(self, table: Table) -> dict[str, Any]:
        every = {preset: self.of_autogluon(table, preset) for preset in PRESETS}
        theirs = {preset: found for preset, found in every.items() if "failed" not in found}
        with tempfile.TemporaryDirectory(prefix="aurify-budget-") as place:
            ours = contestants.aurify(table, self.seed, self.cores, {"seconds": self.seconds}, Path(place))
        gaps = {preset: self.gap(table, ours["answers"], np.asarray(t["answers"])) for preset, t in theirs.items()}
        return {
            "metric": table.metric,
            "rows": [part.height for part in table.parts(self.seed)],
            "aurify": {**_told(ours), table.metric: self.score(table, ours["answers"])},
            **{preset: found for preset, found in every.items() if "failed" in found},
            **{
                preset: {
                    **_told(theirs[preset]),
                    table.metric: self.score(table, np.asarray(theirs[preset]["answers"])),
                    "aurify_minus": [_digits(v) for v in (gap.value, gap.low, gap.high)],
                    "verdict": VERDICTS[gap.verdict],
                }
                for preset, gap in gaps.items()
            },
        }

    def gap(self, table: Table, ours: np.ndarray, theirs: np.ndarray) -> Difference:
        _, tested = table.parts(self.seed)
        return differences(table.answered(tested, ours), table.answered(tested, theirs))[table.metric]

    def score(self, table: Table, answers: np.ndarray) -> float:
        from sklearn.metrics import roc_auc_score, root_mean_squared_error

        truth = table.truth(table.parts(self.seed)[1])
        score = root_mean_squared_error if table.positive is None else roc_auc_score
        return _digits(float(score(truth, answers)))

    def of_autogluon(self, table: Table, preset: str) -> dict[str, Any]:
        """Its answers; why it ``failed`` where the limit was too short for it, which no verdict counts."""
        about = {
            "budget": table.name,
            "preset": preset,
            "seconds": self.seconds,
            "seed": self.seed,
            "cores": self.cores,
        }

        def make() -> dict[str, Any]:
            order = {"preset": preset, "seconds": self.seconds}
            with tempfile.TemporaryDirectory(prefix="autogluon-") as place:
                try:
                    made = contestants.autogluon(table, self.seed, self.cores, order, self.python, Path(place))
                except RuntimeError as error:
                    return {"failed": str(error).strip().splitlines()[-1]}
            return {**made, "answers": made["answers"].tolist()}

        return self.cache.get(about, make)


def _told(result: dict[str, Any]) -> dict[str, Any]:
    return result if "failed" in result else {"seconds": result["seconds"], **result["found"]}


def _digits(value: float) -> float:
    return float(f"{value:.5g}")
