"""Better settings for a recipe: trials on inner folds, a winner, what it is worth where it was not chosen by."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from aurify.core import rng
from aurify.core.errors import AurifyError, suggest
from aurify.core.recipe import Recipe
from aurify.core.words import said
from aurify.data.store import Asked, Store
from aurify.measure.clusters import clusters_of
from aurify.measure.intervals import mean_of_folds
from aurify.measure.judges import greater_is_better
from aurify.measure.metrics import EVERY, Metric, metrics_for
from aurify.measure.predictions import Predictions
from aurify.measure.verdict import telling
from aurify.ship.blending import joined
from aurify.ship.bundle import Bundle
from aurify.study import ensemble
from aurify.study.cells import WHOLE, Cell, Cells
from aurify.study.examples import constant, scores
from aurify.study.methods import METHODS, Plan
from aurify.study.search import COMPLETE, PRUNED, Over, Search, Trial
from aurify.study.space import Space
from aurify.study.trainings import Trainings, Wanted, digest
from aurify.study.trial import Names, kept

KEPT = 20
"""Trials whose models are kept, the best ones."""

COSTS = ("latency", "parameters", "bytes", "seconds")
"""What may be searched for beside the score: less is better."""

LEAVING_SECONDS = 1.5
"""What it takes to stop what is at work and to put the best together."""

MARGIN = 1.2
"""What is kept for measuring again, of what it is thought to take."""

END_SHARE = 0.4
"""Of the time of a call, at most this much is kept for measuring the winner again."""


class UntrainableError(AurifyError):
    """What is to be measured or shipped cannot be trained."""


@dataclass(frozen=True, kw_only=True)
class Tuner:
    """All that trials are made from. ``models`` is where fold models lie; ``deadline`` is by the monotonic clock.

    The files of the best ``keeps`` trials are kept, those of others for as long as they may be taken further.
    """

    space: Space
    store: Store
    trainings: Trainings
    models: Path
    workers: int
    device: torch.device
    check: Callable[[], None]
    method: str = "auto"
    metric: str
    costs: Sequence[str] = ()
    most: int | None = None
    ensemble: bool = True
    keeps: int = KEPT
    portfolio: Sequence[Recipe] = ()
    seed: int = 0
    deadline: float | None = None
    show: Callable[[Search, str], None] = lambda search, what: None
    told: Callable[[Search, Trial], None] = lambda search, trial: None

    @property
    def judge(self) -> Metric[Any]:
        return EVERY[self.metric]

    @property
    def sign(self) -> int:
        return 1 if greater_is_better(self.metric) else -1

    # trials

    def search(self, cells: Cells, deadline: float | None, what: str) -> Search:
        """Run the method on these folds until it ends, or its time does, or somebody stops it."""
        released = set[int]()

        def check() -> None:
            self.show(found, what)
            self.check()
            if deadline is not None and time.monotonic() > deadline - self.reserve(found, cells, deadline):
                raise Over(said("time was up"))

        def told(trial: Trial) -> None:
            self.told(found, trial)
            self.show(found, what)
            self._release(found, cells, released)
            if trial.recipe is None and (found.waited or found.best is None):
                check()  # where none can be trained, no training is waited for

        found = Search(
            metric=self.metric,
            sign=self.sign,
            costs=self.costs or COSTS[:2],
            most=self.most,
            begin=lambda trial, share: self._begin(found, trial, share, cells),
            ended=lambda: self.trainings.ended(check),
            told=told,
        )
        plan = Plan(found, self.space, self.seed, [self.metric, *self.costs], self.portfolio)
        found.run(METHODS[self.method](plan))
        if found.stopped is None:
            self._release(found, cells, released)  # a bracket was closed after its last trial was told
        return found

    def wanted(self, recipe: Recipe, cell: Cell, share: float = 1.0) -> Wanted:
        return Wanted(WHOLE.capped(recipe, len(cell.parts.fit)), cell, share)

    def _begin(self, search: Search, trial: Trial, share: float, cells: Cells) -> dict[str, Mapping[str, Any] | None]:
        trial.recipe = trial.recipe or (trial.space or self.space).made(trial.settings)
        # before one is whole, a part of one is the best there is
        travels = self.keeps > 0 and (share >= 1 or not self.ranked(search))
        found = dict[str, Mapping[str, Any] | None]()
        for cell in cells.all:
            one = self.wanted(trial.recipe, cell, share)
            found[one.key] = self.trainings.answers.look(one.key)
            if found[one.key] is None:
                self.trainings.begin(one, rank=trial.number, place=str(self.place(one)), travels=travels)
        return found

    def reserve(self, search: Search, cells: Cells, deadline: float) -> float:
        """Seconds to keep for measuring the best so far again; none where that would take too much of all."""
        if search.best is None:  # of a failure only: the next one may do better, but not for ever
            return 0.0 if search.known else -float("inf")
        needed = self.again_seconds(search, cells)
        return needed if needed < END_SHARE * (deadline - search.began) else 0.0

    def again_seconds(self, search: Search, cells: Cells) -> float:
        """What measuring the best so far again will take by the clock."""
        assert search.best is not None
        spent = sum(rung.seconds for rung in search.best.rungs)
        return MARGIN * (LEAVING_SECONDS + spent / min(self.workers, len(cells.all)))

    # what is kept of them

    def _release(self, search: Search, cells: Cells, released: set[int]) -> None:
        """Remove the files of trials that can no longer matter, unless they are those of one that does too.

        None while only what was known before is told again: later trials may have made the same recipes.
        """
        if not search.waited:
            return
        best = self.ranked(search) or ([] if search.best is None else [search.best])
        kept = {trial.number for trial in best[: self.keeps]}
        needed = [trial.recipe for trial in search.trials if trial.number in kept or not trial.over]
        for trial in search.trials:
            if trial.over and trial.number not in kept | released:
                released.add(trial.number)
                if trial.recipe not in needed:
                    self._forget(trial, cells)

    def _forget(self, trial: Trial, cells: Cells) -> None:
        """Remove the files of a trial; of a pruned one others who share the search may need theirs still."""
        for wanted in self.trainings_of(trial, cells):
            shutil.rmtree(self.place(wanted), ignore_errors=True)
            if trial.state != PRUNED:
                self.trainings.answers.drop(self.place(wanted))

    def clear(self, search: Search, cells: Cells) -> None:
        """Remove all files of a search; others who share it may be at it still."""
        for trial in search.trials:
            for wanted in self.trainings_of(trial, cells):
                shutil.rmtree(self.place(wanted), ignore_errors=True)

    def place(self, wanted: Wanted) -> Path:
        """Where the model of a training lies, and while it is trained what it takes to go on."""
        return self.models / self.trainings.place(wanted)

    def ranked(self, search: Search) -> list[Trial]:
        """Trials that were trained to their end, the best first."""
        done = [trial for trial in search.trials if trial.state == COMPLETE]
        return sorted(done, key=lambda trial: (-self.sign * (trial.score or 0.0), trial.number))

    def trainings_of(self, trial: Trial, cells: Cells) -> list[Wanted]:
        """Its trainings, as far as it was told."""
        if trial.recipe is None:  # settings that do not go together
            return []
        return [self.wanted(trial.recipe, cell, trial.share) for cell in cells.all]

    def models_of(self, trial: Trial, cells: Cells) -> list[Path]:
        """Files of the fold models of a trial; those that are nowhere any more are trained again."""
        return self.files(self.trainings_of(trial, cells), lambda names: names.model)

    def has_models(self, trial: Trial, cells: Cells) -> bool:
        """Whether its fold models need not be trained again: a better trial's models may have taken their place."""
        return all(self._here(one, lambda names: names.model) for one in self.trainings_of(trial, cells))

    def answers_of(self, trial: Trial, cells: Cells) -> list[Predictions]:
        """What the fold models of a trial say of the rows that they did not see."""
        return self.predictions(self.trainings_of(trial, cells))

    def predictions(self, wanted: Sequence[Wanted]) -> list[Predictions]:
        return [Predictions.read(file) for file in self.files(wanted, lambda names: names.answers)]

    def files(self, wanted: Sequence[Wanted], which: Callable[[Names], str]) -> list[Path]:
        """A file of each training, from here or from others; what nobody has is trained, by one of those who search."""
        for anew in (False, True):  # another one may have made it and lost its file since
            # in this order: files are there before the answer is, and another one may be making both just now
            known = {one.key for one in wanted if self.trainings.answers.look(one.key) is not None}
            left = [one for one in wanted if not self._here(one, which)]
            for one in left:
                self.trainings.begin(one, anew=anew or one.key in known, place=str(self.place(one)), travels=True)
            for answer in self.trainings.results({one.key for one in left}, self.check).values():
                if "refused" in answer:
                    raise UntrainableError(f"what was trained once cannot be trained again: {answer['refused']}")
        return [self.place(one) / which(kept(one.share)) for one in wanted]

    def _here(self, wanted: Wanted, which: Callable[[Names], str]) -> bool:
        file = self.place(wanted) / which(kept(wanted.share))
        return file.exists() or self.trainings.answers.fetch(file)

    # what comes of them

    def shipped(self, search: Search, cells: Cells) -> tuple[bytes, dict[str, Any] | None]:
        """The file of the winner's model, the mean of its folds; or of several trials together, and which."""
        best = search.best
        assert best is not None
        assert best.recipe is not None
        members = self._together(search, cells) if self.ensemble and self.method == "auto" else {best.number: 1.0}
        of = {trial.number: trial for trial in search.trials}
        files = [
            (file, weight / len(cells.all))
            for number, weight in members.items()
            for file in self.models_of(of[number], cells)
        ]
        model = joined(files, best.recipe, self.space.catalog)
        if len(members) == 1:
            return model, None
        answers = [self.answers_of(of[number], cells) for number in members]
        score = float(np.mean([self.scored(one) for one in ensemble.mean(answers, list(members.values()))]))
        told = [{"number": number, "weight": round(weight, 6)} for number, weight in members.items()]
        return model, {"score": score, "members": told}

    def _together(self, search: Search, cells: Cells) -> dict[int, float]:
        """Weights by trial; the best one alone where not a second one was trained to its end."""
        ranked = self.ranked(search)[: self.keeps]
        if len(ranked) < 2:
            best = search.best
            return {} if best is None else {best.number: 1.0}
        weights = ensemble.select((self.answers_of(trial, cells) for trial in ranked), self.judge, self.check)
        return {ranked[at].number: weight for at, weight in weights.items()}

    def scored(self, predictions: Predictions) -> float:
        """The metric on all rows; NaN where it is undefined."""
        value = scores(predictions)[self.metric]
        return float("nan") if value is None else value

    def remeasured(self, recipe: Recipe, fresh: Cells) -> dict[str, Any]:
        """What a recipe scores on folds and with seeds that it was not chosen by."""
        wanted = [self.wanted(recipe, cell) for cell in fresh.all]
        found = self.measured(wanted)
        for one in wanted:
            (self.place(one) / kept(1.0).model).unlink(missing_ok=True)
        return found

    def measured(self, wanted: Sequence[Wanted]) -> dict[str, Any]:
        """What trainings are worth together, by what is kept of their answers."""
        return self.worth(self.predictions(wanted))

    def worth(self, folds: Sequence[Predictions]) -> dict[str, Any]:
        """The mean over ``folds`` with its 95 % interval, and the score of each; None for what is undefined."""
        clusters = [clusters_of(self.store.roles, one.row).codes for one in folds]
        return worth_of(*mean_of_folds(folds, self.judge, clusters, seed=self.seed), *map(self.scored, folds))


def worth_of(*numbers: float) -> dict[str, Any]:
    """A mean, the ends of its interval and what it is the mean of, as plain data; None for what is undefined."""
    value, low, high, *each = (number if np.isfinite(number) else None for number in numbers)
    return {"value": value, "low": low, "high": high, "folds": each}


def metric_of(asked: str | None, known: Sequence[str]) -> str:
    """The metric to judge by: the one asked for, or what tells most; raises AurifyError for one that is not known."""
    if asked is not None and asked not in known:
        raise AurifyError(f"--metric {asked}: there is no such metric here{suggest(asked, known)}")
    return asked or telling(known)


def metrics_of(store: Store, cell: Cell) -> list[str]:
    """The metrics that such rows are judged by."""
    return [metric.name for metric in metrics_for(constant(store, cell.parts, 0))]


def nested(
    tuner: Tuner,
    outer: Cells,
    cells_of: Callable[[np.ndarray, str], Cells],
    deadline: Callable[[int], float | None],
) -> dict[str, Any]:
    """What the whole search is worth: in each outer fold it is run on the rest, and its model answers for the fold.

    Nested cross-validation (Varma & Simon 2006): the rows that score are seen by no trial. ``deadline`` says when a
    search is to end, of so many that are left. Raises Interrupted after a signal.
    """
    folds: list[Predictions] = []
    for at, cell in enumerate(outer.all, 1):
        rest = np.sort(np.concatenate([cell.parts.fit, cell.parts.held]))
        inner = cells_of(rest, f"nested/{at}")
        keeps = KEPT if tuner.ensemble and tuner.method == "auto" else 1
        one = replace(tuner, seed=rng.key(tuner.seed, f"nested/{at}"), keeps=keeps)
        what = said("outer fold {at} of {count}", at=at, count=len(outer.all))
        found = one.search(inner, deadline(len(outer.all) - at + 1), what)
        one.check()
        if found.best is None:
            raise AurifyError("no trial of an outer fold was trained: give more --time or --trials")
        folds.append(_answered(one, found, inner, cell))
    return tuner.worth(folds)


def _answered(tuner: Tuner, found: Search, inner: Cells, outer: Cell) -> Predictions:
    """What the model of a search says of the rows of its outer fold.

    Of a search that ended by itself that is all that is kept: the same call needs nothing else. One that was stopped
    goes on another time.
    """
    about = [[one.score, *map(tuner.trainings.place, tuner.trainings_of(one, inner))] for one in found.trials]
    place = tuner.models / digest([about, tuner.ensemble, tuner.method, tuner.metric, Path(outer.path).stem])
    answers = place / kept(1.0).answers
    if not answers.exists():
        shipped, _ = tuner.shipped(found, inner)
        model = Bundle.from_bytes(shipped, "the model of an outer fold", tuner.space.catalog, tuner.device)
        asked = Asked(tuner.store.inputs, tuner.store.target, outer.parts.test, tuner.store.roles)
        place.mkdir(parents=True, exist_ok=True)
        model.predictions(asked).write(answers)
    if found.stopped is None:
        tuner.clear(found, inner)
    return Predictions.read(answers)
