"""How well boosted trees tell two sets of rows apart, and which columns tell most."""

# n rows of the first set, m of the second, C columns

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from aurify.core import rng
from aurify.data.copies import row_keys
from aurify.data.schema import MISSING
from aurify.data.store import Asked
from aurify.inspection.inspected import FOLDS, Inspected
from aurify.measure.baselines import Examples, plain_answers
from aurify.measure.examples import examples_of
from aurify.measure.out_of_fold import folds_of, out_of_fold
from aurify.measure.two_samples import Area, area, area_of_folds, is_rare

MOST = 4000
"""Rows of each set: an area has an interval of 0.02 then, and more would not change what is said."""

FEWEST = 10
"""Rows of each set, below which nothing can be told out of fold."""

NUMBERS = 20_000_000
"""Cells in which columns are shuffled, one after another."""


@dataclass(frozen=True)
class Told:
    """The area out of fold, and how much of it is lost where a column is shuffled, the most telling first."""

    area: Area
    rows: tuple[int, int]
    columns: dict[str, float]


def tell_apart(
    seen: Inspected, first: np.ndarray, second: np.ndarray, stream: str, without: Collection[str] = ()
) -> Told | None:
    """A classifier two-sample test (Lopez-Paz & Oquab 2017) of two sets of row ids (n,) and (m,).

    Out of fold, rows with equal inputs in one fold, at most ``MOST`` of each set. Columns ``without`` have no say.
    None for sets too small, and where no column is left.
    """
    first, second = (
        each[seen.drawn(len(each), seen.affordable(MOST), f"inspect/{stream}/{name}")]
        for name, each in (("1", first), ("2", second))
    )
    names = [c.name for c in seen.columns if c.name not in without and seen.typed(c.name) is not None]
    if min(len(first), len(second)) < FEWEST or not names:
        return None
    rows = np.concatenate([first, second])
    is_second = np.zeros(len(seen.store), dtype=np.int64)
    is_second[second] = 1
    asked = Asked(seen.store.inputs, is_second, rows)  # without the rows' weights: they say nothing of the inputs
    examples = examples_of(asked, seen.schema, {*seen.hidden, *without})
    for codes in examples.codes.T:
        codes[is_rare(codes)] = MISSING
    folds = folds_of(
        row_keys([examples.numbers, examples.codes]), examples.target, FOLDS, seen.seed, f"inspect/{stream}"
    )
    answers = out_of_fold("boosting", examples, folds, 2, seen.seed, seen.check)[:, 1]
    found = area_of_folds(answers, examples.target == 1, folds)
    if found is None:
        return None
    lost = _lost(seen, examples, folds, names) if found.low > 0.5 else {}
    return Told(found, (len(first), len(second)), dict(sorted(lost.items(), key=lambda item: -item[1])))


def _lost(seen: Inspected, examples: Examples, folds: np.ndarray, names: list[str]) -> dict[str, float]:
    """What shuffling each column loses of the area in one fold (Breiman 2001), for all columns at one go."""
    places = [*seen.schema.numbers, *seen.schema.dates, *seen.schema.categories]
    columns = [(at, column.name) for at, column in enumerate(places) if column.name in names]
    random = np.random.Generator(np.random.PCG64(rng.key(seen.seed, "inspect/shuffled")))
    asked = np.flatnonzero(folds == 0)
    asked = np.sort(random.permutation(asked)[: max(50, NUMBERS // (len(places) * len(columns)) // 10)])
    other = examples.target[asked] == 1
    if other.all() or not other.any():
        return {}
    copies = examples.take(np.tile(asked, len(columns) + 1))
    width = examples.numbers.shape[1]
    for place, (at, _) in enumerate(columns, start=1):
        here = slice(place * len(asked), (place + 1) * len(asked))
        cells = copies.numbers[here, at] if at < width else copies.codes[here, at - width]
        cells[:] = random.permutation(cells)
    answers = plain_answers("boosting", examples.take(folds != 0), copies, 2, seen.seed)[:, 1].reshape(-1, len(asked))
    areas = [area(each[~other], each[other]) for each in answers]
    return {name: areas[0] - areas[place] for place, (_, name) in enumerate(columns, start=1)}
