"""How fast models of one recipe train side by side, and how fast alone: some steps of each, which are thrown away."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from aurify.core.errors import AurifyError
from aurify.core.files import read_record, write_json
from aurify.core.recipe import Recipe
from aurify.core.run import Problem
from aurify.core.watch import Watch
from aurify.data.splits import Parts
from aurify.data.store import Store
from aurify.ship.make import side_by_side
from aurify.ship.make_agents import agents_of
from aurify.study.examples import now
from aurify.study.kept import Kept
from aurify.training.begin import begin, make_optimizer
from aurify.training.checkpoint import Keeper
from aurify.training.fit import Loop
from aurify.worlds.world import World

WARM_STEPS, TIMED_STEPS = 3, 10
"""Of models of rows; agents play and learn in turns, and one turn of both is timed after another."""


def pace(
    recipes: Sequence[Recipe],
    store: Store | World,
    parts: Sequence[Parts],
    device: torch.device,
    watch: Watch,
    onces: Sequence[Kept],
) -> dict[str, float]:
    """Seconds that some steps take of all recipes ``together``, as one program, and ``alone``, one after another.

    Raises Apart, saying why, where they cannot train as one program.
    """
    every: Problem = (
        agents_of(recipes, store, parts[0], device)
        if isinstance(store, World)
        else side_by_side(recipes, store, parts, device, watch, onces)
    )
    together = _timed(recipes[0], every, device, watch)
    one = recipes[0].task.problem(recipes[0], store, parts[0], device, onces[0])
    return {"together": together, "alone": len(recipes) * _timed(recipes[0], one, device, watch)}


def _timed(recipe: Recipe, problem: Problem, device: torch.device, watch: Watch) -> float:
    turn = problem.feed.steps_per_epoch if recipe.task.examples == "episodes" else None
    warm, timed = (WARM_STEPS, TIMED_STEPS) if turn is None else (turn, turn)
    run = begin(recipe, problem, device, warm + timed)
    loop = Loop(run, make_optimizer(run), Keeper(None), watch, lambda run: None)
    loop.validate_every = warm + timed + 1
    loop.train(until=warm)
    began = now(device)
    while run.step < warm + timed:
        loop.advance()
    return now(device) - began


class Paces:
    """What was measured, kept in a file, if there is one: a study that goes on chooses as it did before."""

    def __init__(self, file: Path | None = None):
        self.file, self.known = file, dict[str, Any]()
        if file is not None and file.exists():
            with suppress(AurifyError):  # what is damaged can be measured again
                self.known = dict(read_record(file))

    def keep(self, key: str, found: Mapping[str, Any]) -> None:
        self.known[key] = dict(found)
        if self.file is not None:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            write_json(self.file, self.known)


def faster_together(found: Mapping[str, Any]) -> bool:
    """Whether models are to train as one program, by what was measured of them."""
    return "apart" not in found and found["together"] < found["alone"]
