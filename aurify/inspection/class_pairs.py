"""Pairs of columns that decide the class together: found on one half of the rows, proved on the other."""

# n rows, K classes, L levels

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from aurify.core.words import said
from aurify.inspection.pair_screens import (
    MOST_SCREENED,
    Pair,
    informations,
    order_shares,
    plane_shares,
    standing_out,
)
from aurify.inspection.pair_suspect import Suspect

MOST_LEVELS = 16
"""Values of a column that make cells as they are; more are binned, or the rare ones put together."""

BINS = 8
"""Quantile bins of a number with many values."""

MOST_CLASSES = 6
"""The commonest classes are enough to find a rule by."""


MOST_LEFT = 0.02
"""Error, in shares of a guess's, of a rule that was fitted."""

MOST_LEFT_OF_NO_FIT = 0.12
"""Error of a rule that no honest measurement follows: a twentieth of one column's cells may be replaced."""

ADDED = 0.4
"""Least error of what two columns tell by themselves, where only their combination gives the class away."""

UNTOLD = 0.7
"""Least error of the better column by itself, where only the sum of both gives the class away."""

TIMES_BETTER = 4
"""How many times less a pair must get wrong than either of its columns."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Levels:
    """A column cut into levels (n,) from 0; ``discrete`` where these are values and not bins."""

    at: int
    levels: np.ndarray
    discrete: bool


@np.errstate(all="ignore")
def class_suspects(numbers: np.ndarray, codes: np.ndarray, target: np.ndarray, find: np.ndarray) -> list[Suspect]:
    """Pairs of columns, numbers (n, a) before codes (n, b), that decide the classes (n,), the surest first."""
    levels = _levels(numbers, codes, target)
    alone = left_alone(numbers, codes, target, find)
    made = [*_by_levels(levels, target, find, alone), *_by_numbers(numbers, target, find, alone)]
    found = [suspect for suspect in made if _decides(suspect)]
    return sorted(found, key=lambda suspect: (suspect.left, not suspect.structural))


@np.errstate(all="ignore")
def left_alone(numbers: np.ndarray, codes: np.ndarray, target: np.ndarray, find: np.ndarray) -> dict[int, float]:
    """Error of each column by itself, numbers (n, a) before codes (n, b)."""
    alone: dict[int, float] = {}
    for each in _levels(numbers, codes, target):
        left = error(_by_cells(each.levels, target, ~find), target[~find])
        alone[each.at] = min(left, alone.get(each.at, 1.0))
    for at, column in enumerate(numbers.T):
        alone[at] = min(alone[at], error(_by_tree(column, target, find), target[~find]))
    return alone


def _levels(numbers: np.ndarray, codes: np.ndarray, target: np.ndarray) -> list[Levels]:
    return [*_levels_of_numbers(numbers, len(np.unique(target))), *_levels_of_codes(codes, numbers.shape[1])]


def _decides(suspect: Suspect) -> bool:
    """Whether the pair leaves next to nothing, and its columns by themselves a lot."""
    most, least = (MOST_LEFT_OF_NO_FIT, 0.2) if suspect.structural else (MOST_LEFT, 0.1)
    return suspect.left <= most and suspect.alone >= max(least, TIMES_BETTER * suspect.left)


def error(wrong: np.ndarray, target: np.ndarray) -> float:
    """Share of wrong answers (n,) averaged over the classes, in shares of what a guess gets wrong."""
    classes, codes = np.unique(target, return_inverse=True)
    if len(classes) < 2:
        return 1.0
    return float(np.mean(np.bincount(codes, wrong) / np.bincount(codes))) / (1 - 1 / len(classes))


def _by_levels(
    levels: Sequence[Levels], target: np.ndarray, find: np.ndarray, alone: dict[int, float]
) -> Iterator[Suspect]:
    """Pairs whose cells hold one class each."""
    rows = _screened(target, find)
    told, single = informations([each.levels[rows] for each in levels], target[rows])
    at = np.array([each.at for each in levels])
    usable = at[:, None] != at
    pairs = standing_out(told, usable) + standing_out(told - single[:, None] - single, usable)
    for i, j in dict.fromkeys(pairs):
        one, other = levels[i], levels[j]
        pair = (min(one.at, other.at), max(one.at, other.at))
        wide = int(other.levels.max()) + 1
        missed = _by_cells(one.levels * wide + other.levels, target, ~find)
        lowest = min(alone[one.at], alone[other.at])
        added = error(_added(one.levels, other.levels, target, find), target[~find])
        joint = one.discrete and other.discrete and added >= max(ADDED, TIMES_BETTER * error(missed, target[~find]))
        yield _suspect(pair, said("their combination"), missed, target[~find], lowest, joint, 0 if joint else 5)


def _by_numbers(
    numbers: np.ndarray, target: np.ndarray, find: np.ndarray, alone: dict[int, float]
) -> Iterator[Suspect]:
    """Pairs of numbers whose sum, difference or order decides the class."""
    rows = _screened(target, find)
    values, aims = numbers[rows], target[rows]
    usable = np.ones((numbers.shape[1],) * 2, dtype=bool)
    pairs: list[Pair] = []
    for code in np.unique(aims)[: 1 if len(np.unique(aims)) == 2 else None]:
        both, single = plane_shares(values, (aims == code).astype(np.float64))
        pairs += standing_out(both, usable) + standing_out(both - single[:, None] - single, usable)
    binary = len(np.unique(target)) == 2
    if binary:
        pairs += standing_out(order_shares(values, (aims == aims.max()).astype(np.int64)), usable)
    for i, j in dict.fromkeys(pairs):
        a, b = numbers[:, i], numbers[:, j]
        lowest = min(alone[i], alone[j])
        if binary:
            order = (a > b).astype(np.int64)
            missed = _by_cells(order, target, ~find)
            yield _suspect((i, j), said("which of them is greater"), missed, target[~find], lowest, True, 2)
        for made in (a + b, a - b, *([_slanted(a, b, target, find)] if binary else [])):
            missed = _by_tree(made, target, find)
            joint = lowest >= UNTOLD
            yield _suspect(
                (i, j), said("their sum or difference"), missed, target[~find], lowest, joint, 2 if joint else 5
            )


def _suspect(
    pair: Pair, form: str, missed: np.ndarray, aim: np.ndarray, alone: float, structural: bool, times: int
) -> Suspect:
    left = error(missed, aim)
    return Suspect(
        pair=pair, form=form, left=left, alone=alone, structural=structural, times=times, missed=missed, aim=aim
    )


def _slanted(a: np.ndarray, b: np.ndarray, target: np.ndarray, find: np.ndarray) -> np.ndarray:
    """The mixture (n,) of two numbers that tells two classes apart best (Fisher 1936)."""
    terms = np.column_stack([a, b, np.ones(len(a))])
    known = find & np.isfinite(terms).all(1)
    scale = np.abs(terms[known]).max(0, initial=0)
    terms = terms / np.where(scale > 0, scale, 1)
    return terms @ np.linalg.lstsq(terms[known], target[known].astype(np.float64), rcond=None)[0]


def _screened(target: np.ndarray, find: np.ndarray) -> np.ndarray:
    """Rows of the commonest classes that pairs are searched with."""
    classes, counts = np.unique(target[find], return_counts=True)
    common = classes[np.argsort(-counts, kind="stable")[:MOST_CLASSES]]
    return np.flatnonzero(find & np.isin(target, common))[:MOST_SCREENED]


def _levels_of_numbers(numbers: np.ndarray, classes: int) -> Iterator[Levels]:
    """Values, or bins and, of whole numbers, what is left when divided by the number of classes."""
    for at, column in enumerate(numbers.T):
        known = np.isfinite(column)
        distinct = np.unique(column[known])
        if len(distinct) <= MOST_LEVELS:
            yield Levels(at=at, levels=np.where(known, np.searchsorted(distinct, column), len(distinct)), discrete=True)
            continue
        edges = np.unique(np.quantile(column[known], np.arange(1, BINS) / BINS))
        yield Levels(at=at, levels=np.where(known, np.searchsorted(edges, column, "right"), BINS), discrete=False)
        if 2 <= classes <= MOST_LEVELS and (np.abs(distinct) < 2**53).all() and (distinct == np.round(distinct)).all():
            rest = np.mod(np.where(known, column, 0), classes).astype(np.int64)
            yield Levels(at=at, levels=np.where(known, rest, classes), discrete=True)


def _levels_of_codes(codes: np.ndarray, before: int) -> Iterator[Levels]:
    for at, column in enumerate(codes.T):
        values, counts = np.unique(column, return_counts=True)
        common = np.sort(values[np.argsort(-counts, kind="stable")[:MOST_LEVELS]])
        levels = np.where(np.isin(column, common), np.searchsorted(common, column), len(common))
        yield Levels(at=before + at, levels=levels, discrete=True)


def _by_cells(cells: np.ndarray, target: np.ndarray, prove: np.ndarray) -> np.ndarray:
    """Which rows to prove the class that is likeliest in their cell, were all equally common, gets wrong.

    The cell is judged by all rows but that one.
    """
    counts = np.zeros((int(cells.max()) + 1, int(target.max()) + 1))
    np.add.at(counts, (cells, target), 1)
    lifts = 1 / np.maximum(counts.sum(0), 1)
    here = counts[cells[prove]]
    here[np.arange(len(here)), target[prove]] -= 1
    return (here * lifts).argmax(1) != target[prove]


def _added(one: np.ndarray, other: np.ndarray, target: np.ndarray, find: np.ndarray) -> np.ndarray:
    """Which rows to prove are wrong by what each column tells by itself, put together (naive Bayes)."""
    total = np.zeros((int((~find).sum()), int(target.max()) + 1))
    for levels in (one, other):
        counts = np.zeros((int(levels.max()) + 1, total.shape[1]))
        np.add.at(counts, (levels[find], target[find]), 1)
        total += np.log((counts + 0.5) / (counts.sum(0) + 1))[levels[~find]]
    return total.argmax(1) != target[~find]


def _by_tree(values: np.ndarray, target: np.ndarray, find: np.ndarray) -> np.ndarray:
    """Which of the rows to prove stretches of a number (n,) get wrong, at most a few for each class."""
    from sklearn.tree import DecisionTreeClassifier

    known = np.where(np.isfinite(values), values, -3e38).clip(-3e38, 3e38)[:, None]
    leaves = 4 * len(np.unique(target))
    tree = DecisionTreeClassifier(max_leaf_nodes=leaves, class_weight="balanced", random_state=0)
    tree.fit(known[find], target[find])
    return tree.predict(known[~find]) != target[~find]
