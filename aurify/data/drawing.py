"""Choose rows at random, by whole groups or by time: a share of them, or folds that take turns."""

# n rows, S strata, K folds

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from aurify.core import rng
from aurify.core.errors import AurifyError

PASSES = 2
"""Over the groups: the first fills the share, the second exchanges what fits badly."""


def draw(kind: str, units: np.ndarray, strata: np.ndarray, share: float, seed: int, stream: str) -> np.ndarray:
    """Choose about ``share`` of the rows (n,) bool, rows of one unit (n,) together.

    ``kind`` is ``random`` or ``group`` (drawn by ``seed`` and ``stream``, each stratum (n,) in proportion), or
    ``time``, where units are times and the latest are chosen.
    """
    if kind == "time":
        return _latest(units, share)
    random = np.random.Generator(np.random.PCG64(rng.key(seed, stream)))
    return (_whole_groups if kind == "group" else _whole_units)(units, strata, share, random)


def deal(kind: str, units: np.ndarray, strata: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """The fold (n,) in which each row is tested, 0 to K - 1; -1 for the earliest rows of a split by time.

    Raises AurifyError where a fold would be empty.
    """
    random = np.random.Generator(np.random.PCG64(rng.key(seed, "split/folds")))
    if kind == "time":
        fold = _deal_times(units, folds)
    else:
        fold = (_deal_groups if kind == "group" else _deal_units)(units, strata, folds, random)
    if len(np.unique(fold[fold >= 0])) < folds:
        raise AurifyError(f"{len(units):,} rows are too few or too alike for {folds} folds; lower --folds")
    return fold


def _whole_units(units: np.ndarray, strata: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    """Choose units until each stratum has given its share; a unit counts with its first row's stratum."""
    firsts, inverse, sizes = np.unique(units, return_index=True, return_inverse=True, return_counts=True)[1:]
    shuffled = random.permutation(len(firsts))
    chosen = np.zeros(len(firsts), dtype=bool)
    for stratum in np.unique(strata):
        members = shuffled[strata[firsts[shuffled]] == stratum]
        reached = np.cumsum(sizes[members])
        quota = share * sizes[members].sum()
        chosen[members[reached - sizes[members] / 2 <= quota]] = True
        if len(members) == 1:  # a class of one row is learnt from, it cannot be measured
            chosen[members] = False
    return chosen[inverse]


def _deal_units(units: np.ndarray, strata: np.ndarray, folds: int, random: np.random.Generator) -> np.ndarray:
    """Deal each stratum's units out evenly; a unit counts with its first row's stratum."""
    firsts, inverse, sizes = np.unique(units, return_index=True, return_inverse=True, return_counts=True)[1:]
    shuffled = random.permutation(len(firsts))
    fold = np.empty(len(firsts), dtype=np.int64)
    for stratum in np.unique(strata):
        members = shuffled[strata[firsts[shuffled]] == stratum]
        reached = np.cumsum(sizes[members]) - sizes[members] / 2
        place = (folds * reached / sizes[members].sum()).astype(np.int64)
        fold[members] = random.permutation(folds)[place]  # else small classes would all meet in the middle fold
    return fold[inverse]


def _whole_groups(units: np.ndarray, strata: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    """Take or give back groups as they come, when that brings size and strata nearer to their share.

    At least one is taken and, where there are more than two, two are left: one to learn from and one to hold out.
    """
    firsts, inverse = np.unique(units, return_index=True, return_inverse=True)[1:]
    chosen = np.zeros(len(firsts), dtype=bool)
    left, least_left = len(firsts), min(2, len(firsts) - 1)
    totals, count_of = _counts(inverse, strata)
    missing, nearest = share * totals, (np.inf, 0)
    for order in (random.permutation(len(firsts)) for _ in range(PASSES)):
        for group in order:
            count = -count_of(group) if chosen[group] else count_of(group)
            change = float((count * (count - 2 * missing) / totals).sum())  # of the squared distance to the share
            nearest = min(nearest, (change, group))
            if change < 0 and (chosen[group] or left > least_left):
                left += 1 if chosen[group] else -1
                chosen[group], missing = not chosen[group], missing - count
    if not chosen.any():
        chosen[nearest[1]] = True
    return chosen[inverse]


def _deal_groups(units: np.ndarray, strata: np.ndarray, folds: int, random: np.random.Generator) -> np.ndarray:
    """Give each group, the largest first, to the fold that it leaves most even in size and strata."""
    firsts, inverse, sizes = np.unique(units, return_index=True, return_inverse=True, return_counts=True)[1:]
    if len(firsts) < folds:
        raise AurifyError(f"{folds} folds need as many groups, the data has {len(firsts)}; lower --folds")
    order = random.permutation(len(firsts))
    order = order[np.argsort(-sizes[order], kind="stable")]
    totals, count_of = _counts(inverse, strata)
    held = np.zeros((folds, len(totals)))
    fold = np.empty(len(firsts), dtype=np.int64)
    for group in order:
        count = count_of(group)
        fold[group] = (held @ (count / totals)).argmin()
        held[fold[group]] += count
    return fold[inverse]


def _counts(inverse: np.ndarray, strata: np.ndarray) -> tuple[np.ndarray, Callable[[int], np.ndarray]]:
    """Rows per stratum and in all (S + 1,): of the whole, and a function that counts those of one group."""
    codes = np.unique(strata, return_inverse=True)[1]
    sorted_codes = codes[np.argsort(inverse, kind="stable")]
    ends = np.cumsum(np.bincount(inverse))
    width = int(codes.max()) + 1

    def count(these: np.ndarray) -> np.ndarray:
        return np.append(np.bincount(these, minlength=width), len(these)).astype(np.float64)

    return count(codes), lambda group: count(sorted_codes[ends[group - 1] if group else 0 : ends[group]])


def _latest(times: np.ndarray, share: float) -> np.ndarray:
    distinct, counts = np.unique(times, return_counts=True)
    if len(distinct) < 2:
        return np.zeros(len(times), dtype=bool)
    at_or_after = np.cumsum(counts[::-1])[::-1]
    first = min(2, len(distinct) - 1)  # two times are left where there are more: one to learn from, one to hold out
    return times >= distinct[first + np.abs(at_or_after[first:] - share * len(times)).argmin()]


def _deal_times(times: np.ndarray, folds: int) -> np.ndarray:
    """One block more than folds, of consecutive times and about as many rows; the first is never tested."""
    distinct, inverse, counts = np.unique(times, return_inverse=True, return_counts=True)
    if len(distinct) < folds + 2:
        raise AurifyError(
            f"{folds} folds by time need {folds + 2} different times, the data has {len(distinct)}; lower --folds"
        )
    block = ((folds + 1) * (np.cumsum(counts) - counts / 2) / len(times)).astype(np.int64)
    if len(np.unique(block)) < folds + 1 or (block == 0).sum() < 2:  # a time with many rows swallowed a block
        block = np.arange(len(distinct)) * (folds + 1) // len(distinct)
    return block[inverse] - 1
