"""What a search costs beside its trainings: milliseconds a trial of asking, telling and storing.

Trainings answer at once with a score that their settings decide. Everything else is what a tuning does: proposals, the
recipe that settings mean, a line kept for each training, the trials as a file every two seconds and as an Optuna study.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from aurify import catalog as catalogs
from aurify.core import rng
from aurify.core.files import write_json
from aurify.core.recipe import Source
from aurify.core.words import keep
from aurify.study.answers import Lines
from aurify.study.board import Board
from aurify.study.methods import METHODS, Plan
from aurify.study.portfolio import portfolio
from aurify.study.search import Search, Trial
from aurify.study.space import Space, space_of
from benchmarks.tuning.tables import RACE

MEASURED = ("random", "grid", "tpe", "hyperband", "auto")
"""Where none is named; ``bayes`` is left out, because what it takes is the fitting of its model."""

FOLDS = 3
METRIC = "roc_auc"
WRITE_SECONDS = 2.0
TARGET_MILLISECONDS = 20
LAST = 100
"""Trials at the end that are also looked at alone: what a trial costs grows with those before it."""


def overhead(trials: int, on: Sequence[str]) -> dict[str, Any]:
    table = RACE[0]
    if table.lacking:
        return {"benchmark": "tune overhead", "skipped": table.lacking}
    space = _space()
    found = {method: measured(method, space, trials) for method in on or MEASURED}
    met = all(row["milliseconds"] <= TARGET_MILLISECONDS for row in found.values())
    return {"benchmark": "tune overhead", "trials": trials, "knobs": len(space.axes), "methods": found, "met": met}


def measured(method: str, space: Space, trials: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        stub = Stub(space, Path(place))
        search = Search(
            metric=METRIC,
            sign=1,
            costs=(),
            most=trials,
            begin=stub.begin,
            ended=stub.ended,
            told=lambda trial: stub.told(search, trial),
        )
        shipped = portfolio(space.recipe, space.catalog) if method == "auto" else ()
        plan = Plan(search, space, 0, [METRIC], shipped)
        began, worked = time.perf_counter(), time.process_time()
        search.run(METHODS[method](plan))
        took, worked = time.perf_counter() - began, time.process_time() - worked
        stub.board.close()
    late = np.diff(stub.at[-LAST - 1 :])
    return {
        "milliseconds": round(1000 * took / len(search.trials), 2),
        "processor_milliseconds": round(1000 * worked / len(search.trials), 2),
        "told": len(stub.at),
        "milliseconds_of_the_last": round(1000 * float(late.mean()), 2),
        "slowest": round(1000 * float(np.diff(stub.at).max()), 1),
    }


@dataclass
class Stub:
    """Answers for trainings, and stores what a tuning stores; ``at`` are the moments at which something was told."""

    space: Space
    folder: Path
    at: list[float] = field(default_factory=list)
    written: float = 0.0

    def __post_init__(self) -> None:
        self.lines = Lines(self.folder / "trainings.jsonl", {"aurify": "stub"})
        address = f"sqlite:///{self.folder / 'study.db'}"
        self.board = Board(address, "stub", {METRIC: True}, self.space.distributions)

    def begin(self, trial: Trial, share: float) -> dict[str, Mapping[str, Any] | None]:
        trial.recipe = trial.recipe or self.space.made(trial.settings)
        found = dict[str, Mapping[str, Any] | None]()
        for fold in range(FOLDS):
            key = f"{rng.key(fold, str(trial.recipe.plain())):016x}/{share:.3f}"
            score = 0.7 + 0.1 * share + 0.1 * (rng.key(fold, key) % 1000) / 1000
            found[key] = {"scores": {METRIC: score}, "seconds": 1.0, "diverged": None, "parameters": 1000}
            self.lines.keep(key, found[key] or {})
        return found

    def ended(self) -> tuple[str, Mapping[str, Any]]:
        raise AssertionError("every training answers at once")

    def told(self, search: Search, trial: Trial) -> None:
        self.board.tell(trial.plain())
        if time.monotonic() - self.written > WRITE_SECONDS:
            self.written = time.monotonic()
            write_json(self.folder / "trials.json", keep([one.plain() for one in search.known]))
        self.at.append(time.perf_counter())


def _space() -> Space:
    """The knobs that a search of the default recipe for telco has where nothing is said."""
    table, catalog = RACE[0], catalogs.load([])
    learnt, _ = table.parts(0)
    task: Any = catalog.part("task", {"name": "table"})
    source = {"target": table.target}
    store = task.read(Source.make(source), learnt).store
    settled = task.settled(store)
    plain = {**settled.defaults(store), "task": {"name": "table", **settled.settings()}, "source": source}
    return space_of(catalog.recipe(plain), catalog)
