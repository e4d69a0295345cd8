"""The layout of a grid world: which cell each move leads to, what that pays, and how it looks."""

# S cells (height * width, row by row), D = 4 directions, P pixels of a cell's side

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, Self

import numpy as np

from aurify.core.errors import AurifyError, suggest

Cell = tuple[int, int]
"""Row and column, from the top left."""

Outcome = tuple[float, int, float, bool]
"""A chance, the cell it leads to, the reward, and whether the episode ends there."""

DIRECTIONS = ("left", "down", "right", "up")
MOVES: tuple[Cell, ...] = ((0, -1), (1, 0), (0, 1), (-1, 0))
"""Rows and columns of each direction; those beside one another in the list are at right angles."""

LONGEST = 256
"""Cells of a side: a table of values, and a picture, can hold as many."""

LAKE: tuple[Cell, ...] = ((2, 3), (3, 5), (4, 3), (5, 1), (5, 2), (5, 6), (6, 1), (6, 4), (6, 6), (7, 3))
"""Where Gymnasium's FrozenLake8x8 has its holes."""

FREE, START, TRAP, WALL, GOAL, AGENT = ".ST#GA"

GROUND = {
    FREE: (250, 250, 246),
    START: (219, 234, 247),
    TRAP: (248, 219, 214),
    WALL: (72, 78, 86),
    GOAL: (214, 240, 219),
}
INK = {TRAP: (192, 57, 43), GOAL: (30, 132, 73), AGENT: (31, 97, 165)}
LINE = (205, 208, 212)
PICTURE_PIXELS = 512
"""The longer side of a picture, at most."""


@dataclass(frozen=True)
class Grid:
    """Cells of which each is free, a wall that cannot be entered, a trap or the goal; these two end the episode.

    With the chance ``slip`` a move goes to one of its two sides instead; off the grid or into a wall it stays where it
    is. ``rewards`` are those of a step, of the step into a trap and of the step into the goal.
    """

    width: int = 8
    height: int = 8
    start: Cell = (0, 0)
    goal: Cell = (7, 7)
    traps: tuple[Cell, ...] = LAKE
    walls: tuple[Cell, ...] = ()
    slip: float = 0.0
    rewards: tuple[float, float, float] = (-0.01, -1.0, 1.0)

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """The grid of plain settings. Without a word the goal is the last cell, and only 8 x 8 cells have traps.

        Raises AurifyError for what makes no world.
        """
        known = {field.name: field.default for field in fields(cls)}
        for name in settings:
            if name not in known:
                raise AurifyError(f"a grid world has no setting {name!r}{suggest(name, known)}")
        width, height = (_side(name, settings.get(name, known[name])) for name in ("width", "height"))
        usual = known | {"goal": (height - 1, width - 1), "traps": LAKE if width == height == 8 else ()}
        asked: dict[str, Any] = {name: usual[name] if settings.get(name) is None else settings[name] for name in known}
        start, goal = (_cell(name, asked[name], width, height) for name in ("start", "goal"))
        traps, walls = (_cells(name, asked[name], width, height) for name in ("traps", "walls"))
        slip, rewards = asked["slip"], asked["rewards"]
        if not _is_number(slip) or not 0 <= slip <= 1:
            raise AurifyError(f"slip = {slip!r}: it must be a number from 0 to 1")
        if not isinstance(rewards, Sequence) or len(rewards) != 3 or not all(map(_is_number, rewards)):
            raise AurifyError(f"rewards = {rewards!r}: it must be three numbers, of a step, a trap and the goal")
        step, trap, end = map(float, rewards)
        made = cls(width, height, start, goal, traps, walls, float(slip), (step, trap, end))
        made._refuse_what_nobody_can_walk()
        return made

    def _refuse_what_nobody_can_walk(self) -> None:
        taken = {self.start: "the start"}
        for name, cells in (("the goal", (self.goal,)), ("a trap", self.traps), ("a wall", self.walls)):
            for cell in cells:
                if cell in taken:
                    raise AurifyError(f"{name} at {list(cell)}: {taken[cell]} is there already; take another cell")
            taken |= dict.fromkeys(cells, name)
        if not self._open:
            raise AurifyError(
                f"no way leads from the start {list(self.start)} to the goal {list(self.goal)}: leave one open between"
                " walls and traps"
            )

    @property
    def _open(self) -> bool:
        """Whether a way leads from the start to the goal."""
        seen = {self.number(self.start)}
        edge = list(seen)
        while edge:
            edge = [cell for cell in np.unique(self.after[edge]).tolist() if cell not in seen]
            seen.update(edge)
        return self.number(self.goal) in seen

    def number(self, cell: Cell) -> int:
        """The observation that stands for a cell."""
        return cell[0] * self.width + cell[1]

    @cached_property
    def kinds(self) -> np.ndarray:
        """What each cell is (height, width), one letter each."""
        kinds = np.full((self.height, self.width), FREE)
        for kind, cells in ((START, (self.start,)), (GOAL, (self.goal,)), (TRAP, self.traps), (WALL, self.walls)):
            for cell in cells:
                kinds[cell] = kind
        return kinds

    @cached_property
    def after(self) -> np.ndarray:
        """The cell (S, D) int64 to which each direction leads; from cells that end an episode nothing leads away."""
        row, column = np.divmod(np.arange(self.kinds.size), self.width)
        move = np.array(MOVES)
        to_row = (row[:, None] + move[:, 0]).clip(0, self.height - 1)
        to = to_row * self.width + (column[:, None] + move[:, 1]).clip(0, self.width - 1)
        kinds, here = self.kinds.ravel(), np.arange(self.kinds.size)[:, None]
        stays = (kinds[to] == WALL) | np.isin(kinds, (TRAP, WALL, GOAL))[:, None]
        return np.where(stays, here, to)

    @cached_property
    def ends(self) -> np.ndarray:
        """Whether the episode ends (S,) bool where it has come to a cell."""
        return np.isin(self.kinds.ravel(), (TRAP, GOAL))

    @cached_property
    def reward(self) -> np.ndarray:
        """What each direction pays (S, D) float64; cells that nobody moves away from pay nothing more."""
        kinds = self.kinds.ravel()
        entered = np.select([kinds == TRAP, kinds == GOAL], self.rewards[1:], self.rewards[0])
        return np.where(np.isin(kinds, (TRAP, WALL, GOAL))[:, None], 0.0, entered[self.after])

    def directions(self, action: np.ndarray, draw: np.ndarray) -> np.ndarray:
        """Where actions (n,) really go, of uniform draws (n,) from [0, 1)."""
        turned = np.where(draw < self.slip, np.where(draw < self.slip / 2, -1, 1), 0)
        return (action + turned) % len(MOVES)

    @cached_property
    def outcomes(self) -> dict[int, dict[int, list[Outcome]]]:
        """The model as Gymnasium's toy environments tell theirs in ``P``: by cell and action."""
        sides = ((-1, self.slip / 2), (0, 1 - self.slip), (1, self.slip / 2))
        gone = np.isin(self.kinds.ravel(), (TRAP, WALL, GOAL))

        def leads(cell: int, way: int) -> tuple[int, float, bool]:
            to = int(self.after[cell, way])
            return to, float(self.reward[cell, way]), bool(self.ends[to])

        return {
            cell: {
                action: [(1.0, cell, 0.0, True)]
                if gone[cell]
                else [(chance, *leads(cell, (action + turn) % len(MOVES))) for turn, chance in sides if chance]
                for action in range(len(MOVES))
            }
            for cell in range(self.kinds.size)
        }

    def text(self, cell: int) -> str:
        """The grid with the agent in a cell, a letter a cell and a line a row."""
        letters = self.kinds.copy()
        letters.ravel()[cell] = AGENT
        return "\n".join("".join(row) for row in letters.tolist()) + "\n"

    def picture(self, cell: int) -> np.ndarray:
        """The grid with the agent in a cell (height * P, width * P, 3) uint8."""
        image = self._ground.copy()
        _draw(image, divmod(cell, self.width), AGENT, self._cell_pixels)
        return image

    @property
    def _cell_pixels(self) -> int:
        return max(2, min(48, PICTURE_PIXELS // max(self.width, self.height)))

    @cached_property
    def _ground(self) -> np.ndarray:
        """The picture without an agent."""
        pixels = self._cell_pixels
        colours = np.array([[GROUND[kind] for kind in row] for row in self.kinds.tolist()], dtype=np.uint8)
        image = colours.repeat(pixels, 0).repeat(pixels, 1)
        image[::pixels] = image[:, ::pixels] = LINE
        for kind, cells in ((TRAP, self.traps), (GOAL, (self.goal,))):
            for cell in cells:
                _draw(image, cell, kind, pixels)
        return image


def _draw(image: np.ndarray, cell: Cell, what: str, pixels: int) -> None:
    """Draw into a cell a cross for a trap, a diamond for the goal or a disc for the agent."""
    y, x = np.abs(np.mgrid[:pixels, :pixels] + 0.5 - pixels / 2) / (pixels / 2)
    inked = {TRAP: (np.abs(x - y) < 0.18) & (x < 0.6), GOAL: x + y < 0.75, AGENT: np.hypot(x, y) < 0.55}[what]
    top, left = cell[0] * pixels, cell[1] * pixels
    image[top : top + pixels, left : left + pixels][inked] = INK[what]


def _side(name: str, value: Any) -> int:
    if not _is_whole(value) or not 1 <= value <= LONGEST:
        raise AurifyError(f"{name} = {value!r}: it must be a whole number from 1 to {LONGEST}")
    return int(value)


def _cell(name: str, value: Any, width: int, height: int) -> Cell:
    if not isinstance(value, Sequence) or len(value) != 2 or not all(map(_is_whole, value)):
        raise AurifyError(f"{name}: {value!r} is no cell; give its row and column, such as [0, 3]")
    row, column = int(value[0]), int(value[1])
    if not 0 <= row < height or not 0 <= column < width:
        raise AurifyError(
            f"{name}: the cell {list(value)} lies outside the grid; rows go from 0 to {height - 1}, columns from 0 to"
            f" {width - 1}"
        )
    return row, column


def _cells(name: str, value: Any, width: int, height: int) -> tuple[Cell, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise AurifyError(f"{name} = {value!r}: it must be a list of cells, such as [[0, 3], [1, 2]]")
    return tuple(dict.fromkeys(_cell(name, each, width, height) for each in value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and math.isfinite(value)


def _is_whole(value: Any) -> bool:
    return _is_number(value) and value == int(value)
