"""Which candidates to keep: the next is the one that helps those before it most, over all tables."""

# C candidates, T tables

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

CAP = 2.0
"""Regret at most: what failed badly on one table shall not outweigh all others."""

ALONE = 0.1
"""Weight of a candidate's own mean regret beside what it adds: what it adds on one fold of one table may be luck."""


def regrets(loss_CT: np.ndarray, among_CT: np.ndarray | None = None) -> np.ndarray:
    """Distance (C, T) to the best candidate of a table, in units of the distance of the median one; at most ``CAP``.

    ``among_CT`` are the losses, perhaps of more candidates, that say how long the unit is.
    """
    among_CT = loss_CT if among_CT is None else among_CT
    unit_T = np.maximum(np.median(among_CT, axis=0) - among_CT.min(axis=0), 1e-12)
    return np.minimum((loss_CT - loss_CT.min(axis=0)) / unit_T, CAP)


def greedy(regret_CT: np.ndarray, size: int, begin: Sequence[int] = ()) -> list[int]:
    """Candidates, each the one with which the mean of the least regret so far is smallest, its own having a say too."""
    chosen = list(begin)
    while len(chosen) < min(size, len(regret_CT)):
        so_far_T = regret_CT[chosen].min(axis=0) if chosen else np.full(regret_CT.shape[1], CAP)
        after_C = np.minimum(regret_CT, so_far_T).mean(axis=1) + ALONE * regret_CT.mean(axis=1)
        after_C[chosen] = np.inf
        chosen.append(int(after_C.argmin()))
    return chosen


def soonest(regret_CT: np.ndarray, seconds_C: np.ndarray, chosen: Sequence[int]) -> list[int]:
    """The order in which to try what was chosen: next is what lowers the mean regret so far most in a second.

    Begins with the cheapest (Streeter & Golovin 2008); what lowers it no more comes last, the cheapest first.
    """
    left = sorted(chosen, key=lambda at: seconds_C[at])
    order = [left.pop(0)]
    while left:
        so_far_T = regret_CT[order].min(axis=0)
        gains = [(so_far_T - np.minimum(so_far_T, regret_CT[at])).mean() / seconds_C[at] for at in left]
        order.append(left.pop(int(np.argmax(gains))))
    return order


def left_out(regret_CT: np.ndarray, size: int, begin: Sequence[int], draws: int = 1000) -> dict[str, list[float]]:
    """Mean regret on tables that had no say: of a portfolio of each length chosen on the others, and of random ones.

    Both begin with the same candidates.
    """
    tables, random = range(regret_CT.shape[1]), np.random.default_rng(0)
    chosen = [greedy(np.delete(regret_CT, t, axis=1), size, begin) for t in tables]
    rest = np.setdiff1d(np.arange(len(regret_CT)), begin)
    drawn = [[*begin, *random.permutation(rest)[: size - len(begin)]] for _ in range(draws)]
    lengths = range(len(begin), size + 1)
    return {
        "portfolio": [_mean([regret_CT[chosen[t][:n], t].min() for t in tables]) for n in lengths],
        "random": [_mean([regret_CT[d[:n]].min(axis=0).mean() for d in drawn]) for n in lengths],
    }


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 3)
