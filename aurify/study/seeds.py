"""Where a study of agents trains and scores: each pair of agents with a seed of its own, in episodes of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from aurify.core import rng
from aurify.core.recipe import Recipe
from aurify.data.splits import Parts
from aurify.measure.paired import Pairing
from aurify.study.cells import Cell, Cells, kept_parts

SEEDS, MOST_SEEDS, MORE = 10, 20, 5
"""Seeds that are collected before anything is decided, at most, and how many more at a time."""

BESIDE = 10
"""Agents that are trained as one program, at most: beyond that a step costs as much more as it does more."""

EPISODES = 20
"""Which score an agent. How far agents of other seeds lie apart outweighs what more episodes would tell."""

TRIAL_AGENTS = 3
"""Of each trial of a search, where nothing is said."""

STEPS = 50_000
"""In its world, of one agent, at most."""


class Seeded(Cell):
    """A pair's place: nothing but a seed, ``repeat`` is its number."""

    @property
    def place(self) -> str:
        return f"the episodes of seed {self.repeat}"


@dataclass(frozen=True)
class Steps:
    """How long and how often a study trains agents: ``most`` steps in their world, None: as the recipe says.

    ``seeds`` is how many there are of each recipe, None: ``SEEDS``, and more where that tells more.
    """

    most: int | None = STEPS
    seeds: int | None = None

    def capped(self, recipe: Recipe, rows: int = 1) -> Recipe:
        """The recipe as the study trains it: one agent, whatever the clock says."""
        recipe = replace(recipe, task=recipe.task.alone(), budget=replace(recipe.budget, seconds=None))
        return recipe if self.most is None else recipe.task.shortened(recipe, self.most)

    def about(self, recipe: Recipe, cells: Cells) -> dict[str, Any]:
        """What a training takes: steps in its world, episodes that validate and that score."""
        task: Any = recipe.task
        capped: Any = self.capped(recipe).task
        return {
            "learnt": 1,
            "held": cells.rows("held"),
            "tested": cells.rows("test"),
            "steps": capped.steps,
            "planned": task.steps,
            "full": self.most is None,
            "preliminary": cells.pilot < SEEDS,
        }


def seeds(recipe: Recipe, size: Steps, folder: Path, *, fresh: bool = False) -> Cells:
    """The cells of a ledger of agents, ``fresh`` ones others. Seeds share nothing: their differences are independent.

    The first one is trained alone in every recipe, which tells what a training costs; the others as one program.
    """
    stream, pilot = "fresh" if fresh else "ledger", size.seeds or SEEDS
    most = size.seeds or MOST_SEEDS
    task: Any = recipe.task
    parts = Parts(np.zeros(1, dtype=np.int64), np.arange(task.held), np.arange(EPISODES))
    path, own = str(kept_parts(parts, folder)), rng.key(recipe.seed, stream)
    every = tuple(Seeded(at, 1, rng.key(own, f"{at}"), path, parts) for at in range(1, most + 1))
    return Cells(every, Pairing(MORE, 0.0, apart=True), pilot, _groups(pilot, most))


def agents(recipe: Recipe, count: int, stream: str, folder: Path) -> Cells:
    """The one cell of a search in a world: ``count`` agents that learn side by side; a ``stream``, other seeds.

    Trials share its seeds and episodes, so that luck with them is no trial's own.
    """
    task: Any = recipe.task
    parts = Parts(np.arange(count), np.arange(task.held), np.arange(EPISODES))
    cell = Seeded(1, 1, rng.key(recipe.seed, stream), str(kept_parts(parts, folder)), parts)
    return Cells((cell,), Pairing(1, 0.0, apart=True), 1)


def _groups(pilot: int, most: int) -> tuple[range, ...]:
    """Numbers of cells that are trained as one program, as even as they can be; what comes later by itself."""
    count = -(-(pilot - 1) // BESIDE)
    ends = [1 + round(at * (pilot - 1) / count) for at in range(count + 1)]
    ends += range(pilot + MORE, most + 1, MORE)
    return tuple(range(start, end) for start, end in pairwise(ends))
