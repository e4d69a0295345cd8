"""How often a ledger's intervals hold the true effect, which redrawing data sets tells."""

# L ledgers, M rows of each, V variants, J pairs

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from aurify.core import rng
from aurify.data.columns import NUMBER, Column
from aurify.data.schema import Schema
from aurify.data.splits import fold_rows, held_share, sample_rows
from aurify.data.store import Store
from aurify.measure.paired import Effect, Pairing, effect, holm, pairs_needed
from aurify.study.cells import FOLDS, MOST, PILOT
from benchmarks.proving.closed_form import DRAWN, FULL, VARIANTS, WORLDS, World
from benchmarks.proving.shares import share

ROWS = 500
"""Rows of a sample: 400 are learnt from, 100 scored."""

FRESH, FRESH_TEST = 4_000, 5_000
"""Data sets that tell the true effect, and rows each of them is scored on."""

TUNING = 40
"""Ledgers that tell what is worth knowing, so that every number of pairs occurs; they are not counted."""

LEAST = 0.93

NAMES = [name for name in VARIANTS if name != FULL]


@dataclass(frozen=True)
class Setting:
    """``apart``: rows enough for repeats that share none. Else every repeat parts the same rows."""

    world: str
    apart: bool

    @property
    def name(self) -> str:
        return f"{self.world}, {'repeats apart' if self.apart else 'the same rows in each repeat'}"


@dataclass(frozen=True)
class Drawn:
    """One ledger: its effects (M), the differences of its pilot (M, PILOT) and how many pairs each row took."""

    effects: list[Effect]
    pilot: np.ndarray
    pairs: list[int]


def coverage(ledgers: int, seeds: str) -> dict[str, Any]:
    """Every setting, with what was found of each row of its ledgers."""
    settings = [Setting(world, apart) for world in WORLDS for apart in (False, True)]
    found = {setting.name: _setting(setting, ledgers, seeds) for setting in settings}
    rates = [row["plain"]["rate"] for one in found.values() for row in one["rows"].values()]
    joint = [one["all_simultaneous"]["rate"] for one in found.values()]
    return {
        "benchmark": "ledger coverage",
        "ledgers_a_setting": ledgers,
        "rows_a_sample": ROWS,
        "true_effect_from_data_sets": FRESH,
        "settings": found,
        "plain_coverage_least": min(rates),
        "plain_coverage_mean": round(float(np.mean(rates)), 4),
        "simultaneous_coverage_least": min(joint),
        "target": LEAST,
        "met": min(*rates, *joint) >= LEAST,
    }


def _setting(setting: Setting, ledgers: int, seeds: str) -> dict[str, Any]:
    world, stream = WORLDS[setting.world], f"{seeds}/coverage/{setting.name}"
    tuning = [draw_ledger(setting, rng.key(0, f"{stream}/tuning", at), [np.inf] * len(NAMES)) for at in range(TUNING)]
    worth = _worth(np.mean([one.pilot.std(1, ddof=1) for one in tuning], 0), setting)
    truth, error = true_effects(world, ROWS * (FOLDS - 1) // FOLDS, f"{seeds}/truth/{setting.world}")
    drawn = [draw_ledger(setting, rng.key(0, stream, at), worth) for at in range(ledgers)]
    return {
        "rows": {
            name: _row([(one.effects[at], one.pairs[at]) for one in drawn], truth[at], error[at])
            for at, name in enumerate(NAMES)
        },
        "all_simultaneous": share(sum(_all_hold(one, truth) for one in drawn), ledgers),
        "ledgers_with_a_verdict_against_the_truth": share(sum(_against(one, truth) for one in drawn), ledgers),
    }


def _row(found: list[tuple[Effect, int]], truth: float, error: float) -> dict[str, Any]:
    """What was found of one row: shares of ledgers, and how long the interval is beside what it must be."""
    effects, count = [one for one, _ in found], len(found)
    gains = np.array([one.gain for one in effects])
    reach = np.array([(one.high - one.low) / 2 for one in effects])
    return {
        "true_effect": float(f"{truth:.4g}"),
        "true_effect_standard_error": float(f"{error:.2g}"),
        "mean_gain": float(f"{gains.mean():.4g}"),
        "sd_of_gains": float(f"{gains.std(ddof=1):.4g}"),
        "mean_reach": float(f"{reach.mean():.4g}"),
        "pairs": {str(pairs): times for pairs, times in sorted(Counter(pairs for _, pairs in found).items())},
        "plain": share(sum(one.low <= truth <= one.high for one in effects), count),
        "missed_because_gain_too_high": share(sum(one.low > truth for one in effects), count),
        "missed_because_gain_too_low": share(sum(one.high < truth for one in effects), count),
        "simultaneous": share(sum(one.simultaneous_low <= truth <= one.simultaneous_high for one in effects), count),
    }


def _all_hold(one: Drawn, truth: np.ndarray) -> bool:
    return all(e.simultaneous_low <= t <= e.simultaneous_high for e, t in zip(one.effects, truth, strict=True))


def _against(one: Drawn, truth: np.ndarray) -> bool:
    """Whether a verdict has the wrong sign; any verdict of other weights, whose true effect is 0, has."""
    exact = np.where([name == "other weights" for name in NAMES], 0.0, truth)
    adjusted = holm([e.p for e in one.effects])
    return any(p <= 0.05 and e.gain * t <= 0 for e, t, p in zip(one.effects, exact, adjusted, strict=True))


def _worth(deviations: np.ndarray, setting: Setting) -> list[float]:
    """What a row reaches with 15 pairs where its pilot spreads as usual: half of the ledgers take more then."""
    from scipy import stats

    pairs, pairing = PILOT + FOLDS, Pairing(FOLDS, 1 / (FOLDS - 1), setting.apart)
    joint = float(stats.t.ppf(1 - 0.05 / len(NAMES) / 2, pairs - 1))
    return [float(d) * joint * pairing.spread(pairs) ** 0.5 for d in deviations]


def true_effects(world: World, learnt: int, stream: str) -> tuple[np.ndarray, np.ndarray]:
    """Mean gains (M,) over data sets of ``learnt`` rows, drawn anew each, and their standard errors (M,)."""
    gains = np.empty((FRESH, len(NAMES)))
    for at in range(FRESH):
        random = np.random.default_rng(rng.key(0, stream, at))
        train, test = world.table(random, learnt), world.table(random, FRESH_TEST)
        gains[at] = _gains(world, world.scores(train, test, rng.key(1, stream, at)))
    return gains.mean(0), gains.std(0, ddof=1) / np.sqrt(FRESH)


def draw_ledger(setting: Setting, seed: int, worth: list[float]) -> Drawn:
    """Draw a data set and make its ledger: samples, folds, pilot, number of pairs and intervals are the package's."""
    world, random = WORLDS[setting.world], np.random.default_rng(seed)
    columns, target = world.table(random, ROWS * (MOST // FOLDS if setting.apart else 1))
    store = store_of(columns, target, classes=world.classes)
    samples = sample_rows(store, np.arange(len(store)), MOST // FOLDS, ROWS, seed)
    assert samples.apart == setting.apart
    differences, ratios = np.empty((len(NAMES), MOST)), []
    for repeat, rows in enumerate(samples.rows):
        folds = fold_rows(store, FOLDS, held_share(None, len(rows)), rng.key(seed, f"{repeat}"), among=rows)
        for fold, parts in enumerate(folds):
            learnt = np.concatenate([parts.fit, parts.held])
            train, test = ((columns[ids], target[ids]) for ids in (learnt, parts.test))
            scores = world.scores(train, test, rng.key(seed, f"{repeat}/{fold}"))
            differences[:, repeat * FOLDS + fold] = _gains(world, scores)
            ratios.append(len(parts.test) / len(learnt))
    pairing, count = Pairing(FOLDS, float(np.mean(ratios)), samples.apart), len(NAMES)
    pilot = differences[:, :PILOT]
    pairs = [pairs_needed(p, pairing, count, w, MOST) for p, w in zip(pilot.tolist(), worth, strict=True)]
    effects = [effect(d[:j], pairing, count) for d, j in zip(differences.tolist(), pairs, strict=True)]
    return Drawn(effects, pilot, pairs)


def _gains(world: World, scores: np.ndarray) -> np.ndarray:
    """What the full variant scores beyond each other (M,), better being positive."""
    return (scores[0] - scores[1:]) * (1 if world.greater_is_better else -1)


def store_of(columns: np.ndarray, target: np.ndarray, *, classes: bool) -> Store:
    """A Store, in memory, of numbers (N, D) and a target (N,)."""
    known = tuple(Column(f"x{at}", NUMBER) for at in range(columns.shape[1]))
    answer = Column("y", "category", values=("no", "yes")) if classes else Column("y", NUMBER)
    schema = Schema((*known, answer), "y", ("no", "yes") if classes else None)
    assert columns.shape[1] == DRAWN
    return Store.of(schema, {"numbers": columns}, target, np.zeros(len(target), dtype=bool))
