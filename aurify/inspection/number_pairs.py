"""Pairs of number columns that a number can be reckoned from: found on one half of the rows, proved on the other."""

# n rows, C columns, p terms of a plane

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aurify.core.words import said
from aurify.inspection.pair_screens import MOST_SCREENED, Pair, curve_shares, plane_shares, standing_out
from aurify.inspection.pair_suspect import Suspect

MOST_UNEXPLAINED = 0.0005
"""Of the squared spread: noise of a fiftieth of the target's own, and what no set of measurements is near."""

ALONE_EXPLAINED = 0.95
"""A column that explains more alone is a leak in its own right, or as good as one."""

TIMES_BETTER = 10
"""How many times less a pair must leave unexplained than either of its columns, or than all of the others."""

CURVE_ROWS = 500
"""Rows that products and ratios of every pair are looked at with."""


FURTHEST = 3e38
"""Trees take no larger numbers."""


@np.errstate(all="ignore")
def number_suspects(values: np.ndarray, target: np.ndarray, find: np.ndarray) -> list[Suspect]:
    """Pairs of the columns (n, C) that decide ``target`` (n,), the surest first; ``find`` (n,) says on which rows to
    look for them, and the others prove them.
    """
    alone = left_alone(values, target, find)
    usable = alone > 1 - ALONE_EXPLAINED
    found = []
    for pair in _put_forward(values[find], target[find], usable):
        least = float(alone[list(pair)].min())
        for form, terms, aim in _shapes(values, target, pair):
            missed, aimed = _missed(terms, aim, find)
            left = _left(missed, aimed)
            if left <= MOST_UNEXPLAINED and least >= TIMES_BETTER * left:
                found.append(
                    Suspect(
                        pair=pair,
                        form=form,
                        left=left,
                        alone=least,
                        structural=False,
                        times=TIMES_BETTER,
                        missed=missed,
                        aim=aimed,
                    )
                )
    return sorted(found, key=lambda suspect: suspect.left)


@np.errstate(all="ignore")
def unexplained(missed: np.ndarray, target: np.ndarray) -> float:
    """What answers that are off by ``missed`` (n,) leave of the squared spread of ``target`` (n,), NaN for no spread.

    By the distance that nine tenths of the rows keep within: for normal errors that is 1 - R2, and a few replaced cells
    do not change it.
    """
    usual = np.quantile(np.abs(target - np.median(target)), 0.9)
    return float((np.quantile(np.abs(missed), 0.9) / usual) ** 2) if usual > 0 else float("nan")


@np.errstate(all="ignore")
def left_alone(values: np.ndarray, target: np.ndarray, find: np.ndarray) -> np.ndarray:
    """What each column (n, C) leaves unexplained by itself, (C,)."""
    return np.array([_alone(column, target, find) for column in values.T])


def _put_forward(values: np.ndarray, target: np.ndarray, usable: np.ndarray) -> list[Pair]:
    """Pairs worth a closer look, from the rows that may be searched."""
    values, target = values[:MOST_SCREENED], target[:MOST_SCREENED]
    allowed = usable[:, None] & usable
    pairs: list[Pair] = []
    for these, aim in ((values, target), (_logs(values), _logs(target))):
        both, alone = plane_shares(these, aim)
        pairs += standing_out(both, allowed)
        pairs += standing_out(both - alone[:, None] - alone, allowed)
    few, aim = values[:CURVE_ROWS], target[:CURVE_ROWS]
    for operation in (np.multiply, np.divide):
        shares = curve_shares(few, aim, operation)
        pairs += standing_out(np.fmax(shares, shares.T), allowed)
    return list(dict.fromkeys(pairs))


def _shapes(values: np.ndarray, target: np.ndarray, pair: Pair) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Names of forms, terms (n, p) of a plane and what it should give (n,)."""
    both = values[:, list(pair)]
    with np.errstate(all="ignore"):
        yield said("their sum or difference"), both, target
        yield said("their product or ratio"), _logs(both), _logs(target)
        yield said("their product"), both[:, [0]] * both[:, [1]], target
        yield said("their ratio"), both[:, [0]] / both[:, [1]], target
        yield said("their ratio"), both[:, [1]] / both[:, [0]], target


def _logs(values: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return np.where(values != 0, np.log(np.abs(values)), np.nan)


def _missed(terms: np.ndarray, aim: np.ndarray, find: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far off a plane found on some rows is on the others, and their aims; none where too few rows are known."""
    none = np.empty(0), np.empty(0)
    known = np.isfinite(terms).all(1) & np.isfinite(aim)
    prove = known & ~find
    if (known & find).sum() < find.sum() / 2 or prove.sum() < (~find).sum() / 2:
        return none
    with np.errstate(all="ignore"):
        usual = np.ptp(terms[known], axis=0)
    if not ((usual > 0) & np.isfinite(usual)).all():
        return none
    scaled = np.column_stack([(terms - np.median(terms[known], axis=0)) / usual, np.ones(len(terms))])
    plane = _plane(scaled[known & find], aim[known & find])
    return aim[prove] - scaled[prove] @ plane, aim[prove]


def _left(missed: np.ndarray, aim: np.ndarray) -> float:
    left = unexplained(missed, aim) if len(aim) else 1.0
    return left if np.isfinite(left) else 1.0


def _plane(terms: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The plane (p,) that is nearest to most of the rows (n, p): least trimmed squares (Rousseeuw 1984)."""
    random = np.random.Generator(np.random.PCG64(len(target)))
    few = random.integers(0, len(target), size=(40, terms.shape[1]))
    starts = [np.linalg.lstsq(terms[rows], target[rows], rcond=None)[0] for rows in few]
    starts.append(np.linalg.lstsq(terms, target, rcond=None)[0])
    far = np.quantile(np.abs(target - np.array(starts) @ terms.T), 0.75, axis=1)
    plane = starts[int(np.argmin(far))]
    for _ in range(8):
        away = np.abs(target - terms @ plane)
        near = away <= np.quantile(away, 0.85)
        plane = np.linalg.lstsq(terms[near], target[near], rcond=None)[0]
    return plane


def _alone(column: np.ndarray, target: np.ndarray, find: np.ndarray) -> float:
    """What one column leaves unexplained by a line, a power or a tree, at best."""
    from sklearn.tree import DecisionTreeRegressor

    single = column[:, None]
    line = min(_left(*_missed(*each, find)) for each in ((single, target), (_logs(single), _logs(target))))
    known = np.nan_to_num(single, nan=-FURTHEST).clip(-FURTHEST, FURTHEST)
    tree = DecisionTreeRegressor(max_leaf_nodes=64, min_samples_leaf=3, random_state=0)
    tree.fit(known[find], target[find])
    missed = target[~find] - tree.predict(known[~find])
    return min(line, _left(missed, target[~find]))
