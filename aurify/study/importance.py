"""How much of the scores of a search each knob explains alone: functional ANOVA (Hutter, Hoos & Leyton-Brown 2014)."""

# N trials, D knobs, L leaves of a tree, C cuts along one knob

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

LEAST = 12
"""Trials below which nothing is said."""

RESAMPLES = 50
"""Of the trials; what the shares differ by from one to the next is their interval."""

TREES = 4
"""On each of them."""

INTERVAL = (2.5, 97.5)

FAR = 1.5
"""Quartile distances beyond the quartiles where a score is far out and counts no further (Tukey 1977)."""

LEAVES = (2, 5, 12, 30)
"""Trials that a leaf holds at least: whichever predicts trials best that were not learnt from."""


def importance(
    trials: Sequence[Mapping[str, Any]], space: Mapping[str, Mapping[str, Any]], seed: int
) -> list[dict[str, Any]]:
    """What each knob explains of the score alone, the most first: ``{"knob", "share", "low", "high"}``.

    ``trials`` and ``space`` are as ``trials.json`` and ``tuning.json`` have them; the trials that count are finished
    and set every knob of the space. Nothing where those are too few, or all score the same.

    A forest learns the score from the settings. In each tree the variance of the mean over all other knobs, taken
    evenly over the space, is exact: sums over its leaves. A forest also explains chance, so shares are of what it
    predicts of trials that it did not learn from, and sum up to that at most. ``low`` and ``high`` end the 95 %
    interval over resamples of the trials, all shares are from 0 to 1.
    """
    knobs = [Axis.of(name, how) for name, how in space.items()]
    placed = [(_place(trial["settings"], knobs), trial["score"]) for trial in trials if trial["state"] == "complete"]
    known = [(place, score) for place, score in placed if place is not None and _is_finite(score)]
    if len(known) < LEAST or not knobs:
        return []
    x_ND, y_N = np.array([place for place, _ in known]), _without_outliers(np.array([score for _, score in known]))
    if np.ptp(y_N) <= 1e-12 * np.abs(y_N).max():
        return []
    shares_RD = _shares(x_ND, y_N, knobs, np.random.default_rng(seed))
    low_D, high_D = np.percentile(shares_RD, INTERVAL, axis=0)
    found = [
        {"knob": knob.name, "share": float(share), "low": float(low), "high": float(high)}
        for knob, share, low, high in zip(knobs, shares_RD.mean(axis=0), low_D, high_D, strict=True)
    ]
    return sorted(found, key=lambda each: -each["share"])


@dataclass(frozen=True)
class Axis:
    """A knob as a side of the unit cube: numbers from low to high, or choices as equal pieces beside one another."""

    name: str
    low: float
    high: float
    log: bool
    choices: Sequence[Any] | None

    @classmethod
    def of(cls, name: str, how: Mapping[str, Any]) -> Axis:
        """A knob as the space tells of it."""
        if how["choices"] is not None:
            return cls(name, 0.0, 1.0, False, how["choices"])
        low, high, log = how["low"], how["high"], bool(how["log"])
        return cls(name, math.log(low) if log else low, math.log(high) if log else high, log, None)

    def place(self, value: Any) -> float | None:
        """Where on the side a value is, and None for what is no value of the knob."""
        if self.choices is not None:
            at = next((n for n, choice in enumerate(self.choices) if _same(choice, value)), None)
            return None if at is None else (at + 0.5) / len(self.choices)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or (self.log and value <= 0):
            return None
        along = math.log(value) if self.log else value
        return min(1.0, max(0.0, (along - self.low) / (self.high - self.low))) if self.high > self.low else 0.5

    def cut(self, threshold: float) -> float:
        """Where a tree's threshold cuts the side: between two choices, never through one."""
        return threshold if self.choices is None else round(threshold * len(self.choices)) / len(self.choices)


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _place(settings: Mapping[str, Any], knobs: Sequence[Axis]) -> list[float] | None:
    """Where in the cube settings are, and None where one of the knobs has no value in them."""
    found = [knob.place(settings[knob.name]) if knob.name in settings else None for knob in knobs]
    return [at for at in found if at is not None] if None not in found else None


def _is_finite(score: float | None) -> bool:
    return score is not None and math.isfinite(score)


def _without_outliers(y_N: np.ndarray) -> np.ndarray:
    """Scores with those far out drawn in: else one training that went wrong would be all of the variance."""
    lower, upper = np.percentile(y_N, (25, 75))
    reach = FAR * (upper - lower)
    return np.clip(y_N, lower - reach, upper + reach) if reach > 0 else y_N


def _shares(x_ND: np.ndarray, y_N: np.ndarray, knobs: Sequence[Axis], random: np.random.Generator) -> np.ndarray:
    """The shares (R, D) that each resample of the trials finds."""
    from sklearn.tree import DecisionTreeRegressor

    count = len(y_N)
    total_N, times_N = np.zeros(count), np.zeros(count)
    least = _least(x_ND, y_N, int(random.integers(2**31)))
    picked_RN = random.integers(count, size=(RESAMPLES, count))
    found = []
    for picked_N in picked_RN:
        of_trees = []
        out_N = ~np.isin(np.arange(count), picked_N)
        for _ in range(TREES):
            tree = DecisionTreeRegressor(
                min_samples_leaf=least, max_features=5 / 6, random_state=int(random.integers(2**31))
            ).fit(x_ND[picked_N], y_N[picked_N])
            of_trees.append(_alone(tree.tree_, knobs))
            total_N[out_N] += tree.predict(x_ND[out_N]) if out_N.any() else 0.0
            times_N[out_N] += 1
        found.append(np.mean(of_trees, axis=0))
    seen_N = times_N > 0
    misses_N = np.where(seen_N, (y_N - total_N / np.maximum(times_N, 1)) ** 2, np.nan)
    predicted_R = [_predicted(misses_N[picked_N], y_N[picked_N]) for picked_N in picked_RN]
    return np.array(found) * np.array(predicted_R)[:, None]


def _least(x_ND: np.ndarray, y_N: np.ndarray, seed: int) -> int:
    """How many trials a leaf must hold: of noisy scores more, for else the trees learn the noise."""
    from sklearn.ensemble import RandomForestRegressor

    def predicted(least: int) -> float:
        forest = RandomForestRegressor(60, min_samples_leaf=least, oob_score=True, random_state=seed)
        return float(forest.fit(x_ND, y_N).oob_score_)

    return max((least for least in LEAVES if 4 * least <= len(y_N)), key=predicted)


def _predicted(misses_N: np.ndarray, y_N: np.ndarray) -> float:
    """The share of the variance (R²) that a forest predicts of trials it did not learn from, at least 0."""
    variance = y_N.var()
    return max(0.0, 1 - float(np.nanmean(misses_N)) / variance) if variance > 0 else 0.0


def _alone(tree: Any, knobs: Sequence[Axis]) -> np.ndarray:
    """The shares (D,) of a tree's variance over the cube that each knob has alone."""
    low_LD, high_LD, value_L = _leaves(tree, knobs)
    width_LD = high_LD - low_LD
    volume_L = width_LD.prod(axis=1)
    inside_L = volume_L > 0
    low_LD, high_LD, width_LD = low_LD[inside_L], high_LD[inside_L], width_LD[inside_L]
    volume_L, value_L = volume_L[inside_L], value_L[inside_L]
    mean = float(volume_L @ value_L)
    variance = float(volume_L @ (value_L - mean) ** 2)
    if variance <= 0:
        return np.zeros(len(knobs))
    alone = [
        _spread(low_LD[:, at], high_LD[:, at], volume_L / width_LD[:, at] * (value_L - mean))
        for at in range(len(knobs))
    ]
    return np.array(alone) / variance


def _spread(low_L: np.ndarray, high_L: np.ndarray, weight_L: np.ndarray) -> float:
    """The variance along one knob of the mean over the others; ``weight_L`` is what each leaf adds where it lies."""
    cuts_C = np.unique(np.concatenate([low_L, high_L]))
    middle_C = (cuts_C[1:] + cuts_C[:-1]) / 2
    covers_CL = (low_L <= middle_C[:, None]) & (middle_C[:, None] < high_L)
    return float(np.diff(cuts_C) @ (covers_CL @ weight_L) ** 2)


def _leaves(tree: Any, knobs: Sequence[Axis]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The boxes of a tree's leaves, from (L, D) to (L, D), and what they answer (L,)."""
    boxes = []
    open_ = [(0, np.zeros(len(knobs)), np.ones(len(knobs)))]
    while open_:
        node, low_D, high_D = open_.pop()
        at = tree.feature[node]
        if at < 0:
            boxes.append((low_D, high_D, tree.value[node].item()))
            continue
        cut = knobs[at].cut(float(tree.threshold[node]))
        left_D, right_D = high_D.copy(), low_D.copy()
        left_D[at], right_D[at] = min(cut, high_D[at]), max(cut, low_D[at])
        open_ += [(tree.children_left[node], low_D, left_D), (tree.children_right[node], right_D, high_D)]
    low, high, value = zip(*boxes, strict=True)
    return np.array(low), np.array(high), np.array(value)
