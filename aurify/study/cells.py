"""Where a study trains and scores: samples of the rows, each parted into folds, each fold with a seed of its own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from aurify.core import rng
from aurify.core.errors import AurifyError
from aurify.core.recipe import Recipe
from aurify.data.splits import Parts, Samples
from aurify.data.store import Store
from aurify.measure.paired import Pairing

FOLDS = 5
PILOT = 2 * FOLDS
"""Pairs that are collected before anything is decided."""

MOST = 4 * FOLDS
"""Pairs that are collected at most."""

FEW_FOLDS, MANY_ROWS, OF_MANY = 3, 10_000, (2, 5)
"""Inner folds of a search; of many rows so many of how many are used."""

ROWS = 3000
"""Rows of a sample: four fifths are learnt from."""

MOST_LEFT_OUT = 0.01
"""Share of the rows to learn from that a fold may lack, so that all have equally many."""

FEW_ROWS = 10_000
"""Rows learnt from up to which several trainings may be one program: all of it is in memory at once."""

EXAMPLES = 30_000
"""Examples that one training sees at most, those of all epochs together."""


@dataclass(frozen=True)
class Size:
    """How much of the data and of the training a study takes: ``rows`` a sample, ``steps`` a training; None: all."""

    rows: int | None = ROWS
    steps: int | None = None
    examples: int | None = EXAMPLES

    def about(self, recipe: Recipe, cells: Cells) -> dict[str, Any]:
        """What a training has and takes, on average: rows of each part, steps, and those that the recipe plans."""
        rows = cells.rows("fit")
        return {
            "learnt": rows,
            "held": cells.rows("held"),
            "tested": cells.rows("test"),
            "steps": steps_of(self.capped(recipe, rows), rows)[0],
            "planned": steps_of(recipe, rows)[0],
            "full": self == WHOLE,
            "preliminary": False,
        }

    def capped(self, recipe: Recipe, rows: int) -> Recipe:
        """The recipe as the study trains it on ``rows`` rows; the clock has no say: results must not depend on it."""
        budget, planned, batch = replace(recipe.budget, seconds=None), *steps_of(recipe, rows)
        most = [self.steps, None if self.examples is None else -(-self.examples // batch)]
        least = min((steps for steps in most if steps is not None), default=planned)
        return replace(recipe, budget=replace(budget, steps=least) if least < planned else budget)


WHOLE = Size(rows=None, steps=None, examples=None)
"""No limits: the overnight form."""


def steps_of(recipe: Recipe, rows: int) -> tuple[int, int]:
    """Steps that a recipe takes on ``rows`` rows, and the rows of one."""
    batch = recipe.optimizer.batch_size(recipe.budget.batch_size, rows)
    return recipe.budget.steps or recipe.budget.epochs * -(-rows // batch), batch


@dataclass(frozen=True)
class Cell:
    """One pair's place: the rows of fold ``fold`` of repeat ``repeat``, both from 1, and the seed of both sides."""

    repeat: int
    fold: int
    seed: int
    path: str
    parts: Parts

    @property
    def place(self) -> str:
        return f"fold {self.fold} of repeat {self.repeat}"


@dataclass(frozen=True)
class Cells:
    """All places there are, in the order in which they are used; the first ones are the ``pilot``.

    ``groups`` are numbers of those that a recipe may be trained in as one program. They are the same whatever is made
    already: what comes out may hang on who is trained beside it, by the last bits.
    """

    all: tuple[Cell, ...]
    pairing: Pairing
    pilot: int = PILOT
    groups: tuple[range, ...] = ()

    def beside(self, at: int) -> tuple[Cell, ...]:
        """All that may be trained as one program with a cell, itself among them; none where it is trained alone."""
        return next((tuple(self.all[each] for each in group) for group in self.groups if at in group), ())

    def first(self, count: int) -> tuple[Cell, ...]:
        return self.all[:count]

    def rows(self, part: str) -> int:
        """Rows that a training has in its ``fit``, ``held`` or ``test`` part, on average."""
        return round(float(np.mean([len(getattr(cell.parts, part)) for cell in self.all])))


def cells(recipe: Recipe, store: Store, among: np.ndarray, size: Size, folder: Path, *, fresh: bool = False) -> Cells:
    """Draw the cells of a ledger, ``MOST`` of them, and keep which rows are in them; ``fresh`` ones are others.

    Raises AurifyError where there are too few rows for folds.
    """
    stream = "fresh" if fresh else "ledger"
    own = replace(recipe, seed=rng.key(recipe.seed, stream), split=replace(recipe.split, folds=FOLDS))
    samples = recipe.task.samples(own, store, among, MOST // FOLDS, size.rows)
    parted = _parted(own, store, samples, folder)
    return replace(parted, groups=_groups() if parted.rows("fit") <= FEW_ROWS else ())


def inner_folds(recipe: Recipe, store: Store, among: np.ndarray, folds: int | None, stream: str, folder: Path) -> Cells:
    """Cells of one repeat of ``folds`` folds over all of ``among``: each row is tested in one; a ``stream``, a draw.

    Where nothing is said there are ``FEW_FOLDS``. Of ``MANY_ROWS`` some of more folds tell trials apart as well: each
    learns from more rows, and all together cost less. Raises AurifyError where there are too few rows for them.
    """
    used = folds or FEW_FOLDS
    if folds is None and len(among) >= MANY_ROWS:
        used, folds = OF_MANY
    folds = folds or used
    own = replace(recipe, seed=rng.key(recipe.seed, stream), split=replace(recipe.split, folds=folds))
    parted = _parted(own, store, Samples((among,), apart=False), folder)
    return replace(parted, all=parted.first(used))


def _groups() -> tuple[range, ...]:
    """All cells but the first one, which is trained alone in every recipe and tells what a training costs."""
    return range(1, PILOT), *(range(at, at + FOLDS) for at in range(PILOT, MOST, FOLDS))


def _parted(own: Recipe, store: Store, samples: Samples, folder: Path) -> Cells:
    assert own.split.folds is not None
    found: list[Cell] = []
    for repeat, rows in enumerate(samples.rows, 1):
        seeded = replace(own, seed=rng.key(own.seed, f"{repeat}"))
        try:
            folds = own.task.folds(seeded, store, rows)
        except AurifyError as error:
            raise AurifyError(
                f"a study parts {len(rows):,} rows into {own.split.folds} folds, and here it cannot: {error}"
            ) from None
        if own.split.by == "random":
            folds = evened(folds, seeded.seed)
        for fold, parts in enumerate(folds, 1):
            seed = rng.key(own.seed, f"{repeat}/{fold}")
            found.append(Cell(repeat, fold, seed, str(kept_parts(parts, folder)), parts))
    ratio = float(np.mean([len(c.parts.test) / (len(c.parts.fit) + len(c.parts.held)) for c in found]))
    return Cells(tuple(found), Pairing(own.split.folds, ratio, samples.apart))


def evened(folds: list[Parts], seed: int) -> list[Parts]:
    """Folds that learn from equally many rows, where they differ in a few: what is measured is training on so many.

    Models of as many rows train side by side, step by step. Which rows are left out hangs on the seed alone.
    """
    sizes = [len(parts.fit) for parts in folds]
    if max(sizes) - min(sizes) > MOST_LEFT_OUT * max(sizes):
        return folds
    random = np.random.Generator(np.random.PCG64(rng.key(seed, "evened")))
    return [replace(p, fit=np.sort(random.permutation(p.fit)[: min(sizes)])) for p in folds]


def kept_parts(parts: Parts, folder: Path) -> Path:
    """Write parts under a name made of what they hold, once."""
    digest: Any = hashlib.blake2b(digest_size=10)
    for rows in (parts.fit, parts.held, parts.test):
        digest.update(f"{len(rows)} ".encode() + np.ascontiguousarray(rows, dtype=np.int64).tobytes())
    path = folder / f"{digest.hexdigest()}.aurify"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        parts.write(path)
    return path
