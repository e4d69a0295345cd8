"""Where the states of a world lie, in worlds that are a grid, and where its actions lead there."""

# S states, K actions, H rows and W columns of cells

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np

from aurify.worlds.exact import Model, reached
from aurify.worlds.grid import FREE, GOAL, START, TRAP, WALL
from aurify.worlds.world import World

Way = tuple[int, int]
"""Rows and columns that an action leads on: one of them 1 or -1, or none where it leads nowhere."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Cells (H, W) whose states count row by row: what each is, a letter of ``worlds.grid``, and the actions' ways.

    A goal is where an episode ends as well as it can, a trap where it ends worse. What is never entered is a wall.
    """

    kinds: np.ndarray
    ways: tuple[Way, ...]


def layout_of(world: World, model: Model) -> Layout | None:
    """The grid of a world whose states are its cells, as GridWorld, FrozenLake and CliffWalking are; None of others."""
    shape = _shape(world, len(model.start))
    return None if shape is None else Layout(_kinds(model).reshape(shape), _ways(model, shape[1]))


def _shape(world: World, states: int) -> tuple[int, int] | None:
    """Height and width as the environment tells them: of its ``grid``, its map ``desc`` or its ``shape``."""
    with closing(world.make()) as env:
        inside: Any = env.unwrapped
        told = [getattr(getattr(inside, "grid", None), "kinds", None), getattr(inside, "desc", None)]
        shapes = [getattr(each, "shape", None) for each in told] + [getattr(inside, "shape", None)]
    for shape in shapes:
        if isinstance(shape, Sequence) and len(shape) == 2 and math.prod(shape) == states:
            return int(shape[0]), int(shape[1])
    return None


def _kinds(model: Model) -> np.ndarray:
    """What each state is (S,)."""
    kinds = np.where(reached(model), FREE, WALL)
    kinds[model.start > 0] = START
    ending = (model.chance > 0) & model.ends & reached(model)[:, None, None]
    paid = np.full(len(kinds), -np.inf)
    np.maximum.at(paid, model.after[ending], model.reward[ending])
    last = paid > -np.inf
    kinds[last] = np.where(paid[last] >= paid.max(), GOAL, TRAP)
    return kinds


def _ways(model: Model, width: int) -> tuple[Way, ...]:
    """Where each action leads on the whole: what slips to both sides cancels out, and so do the edges."""
    here, on = np.divmod(np.arange(len(model.start)), width), np.divmod(model.after, width)
    along = [np.clip(after - before[:, None, None], -1, 1) for before, after in zip(here, on, strict=True)]
    near = sum(np.abs(each) for each in along) <= 1  # not back to the start
    down, right = ((model.chance * each * near).sum((0, 2)) for each in along)
    return tuple(_way(float(a), float(b)) for a, b in zip(down, right, strict=True))


def _way(down: float, right: float) -> Way:
    if abs(down) < 1e-9 and abs(right) < 1e-9:
        return 0, 0
    return (int(np.sign(down)), 0) if abs(down) > abs(right) else (0, int(np.sign(right)))
