"""What tune does between reading the data and writing its page: trials, the best model, and what it is worth."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from aurify.core.errors import AurifyError, Interrupted
from aurify.core.files import write_bytes, write_json
from aurify.core.folder import RunFolder
from aurify.core.recipe import Recipe
from aurify.core.words import keep, said
from aurify.measure.judges import JUDGES, greater_is_better
from aurify.study.board import Board
from aurify.study.cells import Cells
from aurify.study.compare import compare
from aurify.study.importance import importance
from aurify.study.methods import AUTO_SHARE, RUNGS, STEP
from aurify.study.search import COMPLETE, Search, Trial
from aurify.study.space import Space
from aurify.study.trainings import Trainings, digest
from aurify.study.tune import KEPT, MARGIN, Tuner, nested
from aurify.training import device as devices
from aurify.workbench.goal import Goal
from aurify.workbench.studying import Room
from aurify.workbench.subject import Inner

Searching = Callable[[int, int | None, float | None, Sequence[int], float | None, str], None]
"""Is told how many trials are done, of how many, the best score, which are at work, seconds left, and what goes on."""

OUTER = 3
"""Outer folds of nested cross-validation."""

DEFAULT_TRIALS = 20
"""Of each method that is compared, where nothing is said."""

WRITE_SECONDS = 2.0
"""Between two writings of the trials so far."""

END_SECONDS = 1.0
"""What is kept of the time for the page."""


@dataclass(frozen=True)
class Hunt:
    """A search in a room: where it lies, what it may change, who trains, since when, and who is told."""

    room: Room
    space: Space
    goal: Goal
    workers: int
    began: float
    progress: Searching
    note: Callable[[str], None]
    begins: Sequence[Recipe] = ()
    storage: str | None = None

    @property
    def folder(self) -> RunFolder:
        return self.room.folder

    def cells(self, stream: str, inner: Inner | None = None) -> Cells:
        inner = inner or Inner(self.goal.folds)
        return self.room.subject.trial_cells(self.folder, self.room.store, self.space.recipe, stream, inner)

    def fresh(self, stream: str) -> Cells:
        """Where a winner is measured again."""
        return self.cells(f"{stream}/fresh", Inner(self.goal.folds, again=True))

    def tuner(self, trainings: Trainings) -> Tuner:
        common: dict[str, Any] = {
            "space": self.space,
            "store": self.room.store,
            "trainings": trainings,
            "models": self.folder.search / "models",
            "workers": self.workers,
            "device": self.room.device,
            "check": self.room.watch.check,
            "method": self.goal.method,
            "costs": self.goal.objectives[1:],
            "most": self.goal.trials,
            "ensemble": self.goal.ensemble,
            "keeps": KEPT,
            "portfolio": self.begins,
            "seed": self.space.recipe.seed,
            "show": self._show,
        }
        return self.room.subject.tuner(self.goal.judge, self.cells("tune"), common)

    def _show(self, search: Search, what: str) -> None:
        best = None if search.best is None else search.best.score
        left = None if self.goal.seconds is None else max(0.0, self.began + self.goal.seconds - time.monotonic())
        running = [task.trial.number for task in search.open]
        self.progress(len(search.known), search.most, best, running, left, what)

    def tuned(self, tuner: Tuner) -> dict[str, Any]:
        """Search, ship the best, and say what it is worth: everything there is to tell."""
        cells = self.cells("tune")
        saver = Saver(self.folder, tuner, cells, lambda: self._board(tuner))
        deadline = self._deadline(1 + OUTER * self.goal.nested)
        with closing(saver):
            found = replace(tuner, told=saver.told).search(cells, deadline, said("searching"))
            best = found.best
            if best is None or best.recipe is None:
                raise self._failure(found)
            model, together = self._shipped(tuner, found, cells)
            saver.ship(model, found)
        if looks := self.folder.looks_before():
            self.note(said("the winner was chosen after the test part had been looked at ({looks:,})", looks=looks))
        again = outer = None
        with suppress(Interrupted):  # what is found is told all the same
            tuner.check()
            if self._in_time(tuner, found, cells):
                again = tuner.remeasured(best.recipe, self.fresh("tune"))
            if self.goal.nested:
                outer = nested(
                    tuner,
                    self.cells("outer", Inner(OUTER)),
                    lambda rows, stream: self.cells(stream, Inner(self.goal.folds, rows)),
                    self._deadline,
                )
        return {
            **self._about(tuner, cells),
            "stopped": found.stopped or said("all {count:,} trials were made", count=len(found.trials)),
            "interrupted": self.room.watch.signal_number,
            "wall": round(found.wall, 3),
            "best": {"number": best.number, "settings": best.settings, "score": best.score},
            "looked": looks,
            "picked": best.score,
            "remeasured": again,
            "nested": outer,
            "ensemble": together,
            "front": _front(found, tuner) if tuner.costs else None,
            "importance": importance(saver.plain(found), self.space.plain(), tuner.seed),
            "compare": None,
        }

    def _board(self, tuner: Tuner) -> Board:
        """The trials as an Optuna study: one of the same name is of the same search on the same data."""
        address = self.storage or self.folder.search / "study.db"
        # without where the data lies: on another machine that is elsewhere
        recipe = {name: value for name, value in self.space.recipe.plain().items() if name != "source"}
        about = [tuner.method, tuner.seed, self.goal.folds, tuner.costs, self.space.plain(), recipe]
        about += [self.room.version, tuner.metric]
        name = f"aurify {digest(about)}"
        objectives = {name: name in JUDGES and greater_is_better(name) for name in (tuner.metric, *tuner.costs)}
        return Board(address, name, objectives, self.space.distributions)

    def compared(self, tuner: Tuner) -> dict[str, Any]:
        """Methods side by side: no model is shipped."""
        one = replace(tuner, most=self.goal.trials or DEFAULT_TRIALS)
        found = compare(one, self.goal.compare, self.goal.repeats, self.cells, self.fresh)
        write_json(self.folder.trials, [])
        blank = dict.fromkeys(("best", "looked", "picked", "remeasured", "nested", "ensemble", "front", "interrupted"))
        about = self._about(tuner, self.cells("tune"))
        wall = round(time.monotonic() - self.began, 3)
        return {**about, **blank, "stopped": None, "wall": wall, "importance": [], "compare": found}

    def _about(self, tuner: Tuner, cells: Cells) -> dict[str, Any]:
        rungs = {"hyperband": [STEP**-at for at in range(RUNGS - 1, -1, -1)], "auto": [AUTO_SHARE, 1.0]}
        return {
            "method": self.goal.method,
            "metric": tuner.metric,
            "greater_is_better": greater_is_better(tuner.metric),
            "objectives": [tuner.metric, *tuner.costs],
            "seed": tuner.seed,
            "workers": self.workers,
            "examples": self.space.recipe.task.examples,
            "folds": len(cells.all),
            **self.room.facts(self.space.recipe),
            "learnt": cells.rows("fit"),
            "tested": cells.rows("test"),
            "space": self.space.plain(),
            "rungs": rungs.get(self.goal.method, [1.0]),
        }

    def _deadline(self, searches: int) -> float | None:
        """When a search is to end after which as many follow as make ``searches`` in all, by the monotonic clock."""
        if self.goal.seconds is None:
            return None
        now = time.monotonic()
        return now + (self.began + self.goal.seconds - END_SECONDS - now) / searches

    def _shipped(self, tuner: Tuner, found: Search, cells: Cells) -> tuple[bytes, dict[str, Any] | None]:
        """The model, put together in peace; of the best trial alone where a signal comes meanwhile."""
        calm = replace(tuner, check=lambda: None)
        if self.room.watch.signal_number is not None:
            return calm.shipped(found, cells)
        try:
            return tuner.shipped(found, cells)
        except Interrupted:
            return replace(calm, ensemble=False).shipped(found, cells)

    def _in_time(self, tuner: Tuner, found: Search, cells: Cells) -> bool:
        if self.goal.seconds is None:
            return True
        left = self.began + self.goal.seconds - time.monotonic()
        if tuner.again_seconds(found, cells) / MARGIN <= left:  # the margin was for what took its time meanwhile
            return True
        self.note(said("there was no time to measure the winner again: give more --time, or call again"))
        return False

    def _failure(self, found: Search) -> AurifyError:
        """Why there is nothing to ship; raises Interrupted where that is why."""
        self.room.watch.check()
        reason = next((trial.reason for trial in found.trials if trial.reason is not None), None)
        why = "" if reason is None else f": {reason}"
        return AurifyError(f"of {len(found.trials)} trials none could be trained{why}; look at the recipe and the data")


@dataclass
class Saver:
    """Keeps the trials so far, and the best model as soon as it is found: a kill at any moment leaves it usable."""

    folder: RunFolder
    tuner: Tuner
    cells: Cells
    opened: Callable[[], Board]
    _best: tuple[int, float] | None = None
    _written: float = 0.0

    @cached_property
    def board(self) -> Board:
        """Opened when there is something to write: it takes most of a second."""
        return self.opened()

    def close(self) -> None:
        if "board" in vars(self):
            self.board.close()

    def told(self, search: Search, trial: Trial) -> None:
        """Keep what is new; trials that are told again, as they were before a stop, take nobody's place."""
        best, more = search.best, bool(search.open) and search.open[0].done  # what is told next may be better
        again = self.folder.bundle.exists() and not search.waited
        if best is not None and not (more or again) and best.state == COMPLETE:
            if self._best != (best.number, best.share) and self.tuner.has_models(best, self.cells):
                self.ship(replace(self.tuner, ensemble=False).shipped(search, self.cells)[0], search)
            self._best = (best.number, best.share)
        self.board.tell(trial.plain())
        if time.monotonic() - self._written > WRITE_SECONDS:
            self.write(search)

    def ship(self, data: bytes, search: Search) -> None:
        """Put a model and the best recipe in place; what was measured of another one goes."""
        assert search.best is not None
        assert search.best.recipe is not None
        if not self.folder.bundle.exists() or self.folder.bundle.read_bytes() != data:
            for path in (self.folder.scores, self.folder.evidence, self.folder.predictions):
                path.unlink(missing_ok=True)
            write_bytes(self.folder.bundle, data)
        if self.folder.recipe.read_bytes() != search.best.recipe.to_yaml().encode():
            write_bytes(self.folder.recipe, search.best.recipe.to_yaml().encode())
        spent = sum(rung.seconds for trial in search.trials for rung in trial.rungs)
        write_json(self.folder.training, {"steps": None, "stopped": None, "seconds": round(spent, 3)})
        self.write(search)

    def write(self, search: Search) -> None:
        self._written = time.monotonic()
        write_json(self.folder.trials, keep(self.plain(search)))

    def plain(self, search: Search) -> list[dict[str, Any]]:
        return [{**trial.plain(), **_costs(trial)} for trial in search.known]


def _costs(trial: Trial) -> dict[str, Any]:
    recipe = trial.recipe
    parts = (
        {}
        if recipe is None
        else {
            "network": recipe.network.name(),
            "optimizer": recipe.optimizer.name(),
            "techniques": [technique.name() for technique in recipe.techniques],
        }
    )
    return {"parts": parts, "latency": trial.values.get("latency"), "parameters": trial.values.get("parameters")}


def _front(search: Search, tuner: Tuner) -> list[int]:
    """The numbers of trials that no other one beats in every objective."""
    names = [tuner.metric, *tuner.costs]
    points = {t.number: search.seen(t, names).values for t in search.trials if t.state == COMPLETE}
    known = {number: values for number, values in points.items() if values is not None}
    return [
        number
        for number, own in known.items()
        if not any(all(a <= b for a, b in zip(other, own, strict=True)) and other != own for other in known.values())
    ]


def keep_environment(folder: RunFolder, device: Any) -> None:
    """Write down what results depend on beside recipe and data."""
    write_json(folder.environment, {**devices.environment(device), "threads": 1})
