"""Columns as examples hold them, and halves of the rows: one finds, the other proves."""

# m rows

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from aurify.core import rng
from aurify.inspection.inspected import Inspected
from aurify.measure.baselines import Examples


@dataclass(frozen=True, kw_only=True)
class Place:
    """A column of the examples: among the numbers, or the codes."""

    name: str
    number: bool
    at: int


def places_of(seen: Inspected, few: Examples) -> list[Place]:
    """Columns that may be learnt from and hold different values, numbers first."""
    shown = {column.name for column in seen.columns}
    schema = seen.schema
    numbers = [Place(name=c.name, number=True, at=at) for at, c in enumerate((*schema.numbers, *schema.dates))]
    codes = [Place(name=c.name, number=False, at=at) for at, c in enumerate(schema.categories)]
    values = {True: few.numbers, False: few.codes}
    return [
        place
        for place in (*numbers, *codes)
        if place.name in shown and len(np.unique(values[place.number][:, place.at])) > 1
    ]


def only(examples: Examples, places: list[Place]) -> Examples:
    """The examples with these columns alone."""
    return replace(
        examples,
        numbers=examples.numbers[:, [place.at for place in places if place.number]],
        codes=examples.codes[:, [place.at for place in places if not place.number]],
    )


def half_of(target: np.ndarray, seed: int) -> np.ndarray:
    """Which rows (n,) to find rules on: every other one, class by class or rank by rank."""
    random = np.random.Generator(np.random.PCG64(rng.key(seed, "inspect/pairs of halves")))
    shuffled = random.permutation(len(target))
    find = np.zeros(len(target), dtype=bool)
    find[shuffled[np.argsort(target[shuffled], kind="stable")][::2]] = True
    return find
