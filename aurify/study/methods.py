"""Methods of search: programs that begin trials, take them further, and wait (``study/search.py``)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from aurify.core import rng
from aurify.core.recipe import Recipe
from aurify.study.propose import Known, propose
from aurify.study.search import FAILED, Begin, Close, Further, Method, Search, Trial, Wait
from aurify.study.space import Space

LAG = 3
"""Trials that may be open when the next one is thought of: the same with one worker or many."""

STEP = 3
"""How many fewer trials reach the next rung, and how much farther that is."""

RUNGS = 3
"""Rungs of Hyperband at most: 1/9, 1/3 and all of the steps."""

LEVELS = 3
"""Values of a number in a grid."""

WAVE = 6
"""Trials that ``auto`` begins together; a third of them is trained to the end."""

AUTO_SHARE = 1 / 3


@dataclass(frozen=True)
class Plan:
    """What a method works from: ``objectives`` are those that are searched for, the metric first."""

    search: Search
    space: Space
    seed: int
    objectives: Sequence[str]
    portfolio: Sequence[Recipe] = ()


@dataclass(frozen=True)
class View:
    """The trials of a search as a sampler sees them: with the settings that they have in a ``space``.

    Trials of other parts than the space is about are left out; without one they are seen as they were begun. A trial is
    looked at when more is told of it, and not for each proposal: those may be thousands.
    """

    plan: Plan
    space: Space | None = None
    _looked: dict[int, tuple[int, Known | None]] = field(default_factory=dict, init=False)

    def proposed(self, sampler: str) -> dict[str, Any]:
        """What a sampler would try next."""
        plan, trials = self.plan, self.plan.search.trials
        known = [one for trial in trials if (one := self._seen(trial)) is not None]
        return propose(sampler, (self.space or plan.space).distributions, known, len(trials), plan.seed)

    def _seen(self, trial: Trial) -> Known | None:
        told, seen = self._looked.get(trial.number, (-1, None))
        if told != len(trial.rungs):
            seen = self._look(trial)
            self._looked[trial.number] = len(trial.rungs), seen
        return seen

    def _look(self, trial: Trial) -> Known | None:
        near = trial.settings if self.space is None or trial.recipe is None else self.space.near(trial.recipe)
        return None if near is None else self.plan.search.seen(replace(trial, settings=near), self.plan.objectives)


class Program(Protocol):
    """What makes a method of a plan."""

    def __call__(self, plan: Plan) -> Method: ...


def grid(plan: Plan) -> Method:
    """Every combination of three values a number and all choices, in an order drawn at random."""
    for settings in combinations(plan.space, plan.seed):
        if plan.search.room <= 0:
            return
        yield Begin(settings, "grid")
        yield Wait(LAG)


def combinations(space: Space, seed: int) -> Iterator[dict[str, Any]]:
    """The points of a grid, each once; the first ones are spread over all of it."""
    levels = [axis.levels(LEVELS) for axis in space.axes]
    size, taken = math.prod(map(len, levels)), set[int]()
    random = np.random.Generator(np.random.PCG64(rng.key(seed, "grid")))
    order: Iterator[int] = iter(random.permutation(size).tolist()) if size <= 10**6 else _drawn(random, size)
    for at in order:
        if at in taken:
            continue
        taken.add(at)
        settings: dict[str, Any] = {}
        for axis, values in zip(space.axes, levels, strict=True):
            at, which = divmod(at, len(values))
            settings[axis.name] = values[which]
        yield settings


def _drawn(random: np.random.Generator, size: int) -> Iterator[int]:
    """Numbers below a size that may have very many digits."""
    while True:
        yield int.from_bytes(random.bytes(16 + size.bit_length() // 8), "big") % size


def sampled(sampler: str) -> Program:
    """One trial after another, each where a sampler says."""

    def method(plan: Plan) -> Method:
        view = View(plan)
        while plan.search.room > 0:
            yield Begin(view.proposed(sampler), sampler)
            yield Wait(LAG)

    return method


def hyperband(plan: Plan) -> Method:
    """Brackets of successive halving, the widest first, again and again (Li et al. 2018).

    A bracket begins many trials with few epochs, and the best third of them goes on from where it was left.
    """
    view = View(plan)
    while plan.search.room > 0:
        for lowest in range(RUNGS - 1, -1, -1):
            if plan.search.room <= 0:
                return
            entrants = math.ceil(RUNGS / (lowest + 1) * STEP**lowest)
            yield from bracket(view, entrants, [STEP**-at for at in range(lowest, -1, -1)], "random")


def bracket(view: View, entrants: int, shares: Sequence[float], sampler: str) -> Method:
    """Successive halving (Jamieson & Talwalkar 2016): on each rung the best third of those that reached it go on."""
    search, begun = view.plan.search, list[Trial]()
    for _ in range(entrants):
        if search.room <= 0:
            break
        begun.append((yield Begin(view.proposed(sampler), sampler, shares[0], space=view.space)))
        yield Wait(LAG)
    trials = begun
    for share in shares[1:]:
        yield Wait(0)  # who goes on is known when all of the rung are told
        trials = best_third(search, trials)
        for trial in trials:
            yield Further(trial, share)
    yield Wait(0)
    if len(begun) == entrants:  # with more trials in a later call others of them would go on
        yield Close(begun)


def best_third(search: Search, trials: Sequence[Trial]) -> list[Trial]:
    """A third of them, one at least, the best first; none that failed."""
    scored = [trial for trial in trials if trial.state != FAILED and trial.score is not None]
    ranked = sorted(scored, key=lambda trial: (-search.sign * (trial.score or 0.0), trial.number))
    return ranked[: max(1, len(trials) // STEP)]


def auto(plan: Plan) -> Method:
    """A portfolio of recipes that were strong elsewhere, then a model of the scores around the best of them.

    The portfolio is tried in its order (Feurer et al. 2022); then come waves of trials that the Parzen estimator
    proposes, a third of each trained to the end (Falkner et al. 2018).
    """
    for recipe in plan.portfolio:
        if plan.search.room <= 0:
            break
        yield Begin(plan.space.around(recipe).defaults, "portfolio", recipe=recipe)
        yield Wait(LAG)
    yield Wait(0)
    best = plan.search.best
    view = View(plan, plan.space if best is None or best.recipe is None else plan.space.around(best.recipe))
    while plan.search.room > 0:
        yield from bracket(view, WAVE, [AUTO_SHARE, 1.0], "tpe")


METHODS: Mapping[str, Program] = {
    "auto": auto,
    "grid": grid,
    "random": sampled("random"),
    "bayes": sampled("bayes"),
    "tpe": sampled("tpe"),
    "hyperband": hyperband,
}
