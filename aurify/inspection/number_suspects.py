"""Columns that give a number away: by being it, by having its order, by being near it, by leaving little open."""

# m sampled rows

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aurify.core import rng
from aurify.inspection.agreement import (
    HONEST_NOISE,
    TRIMMED,
    closeness,
    in_order,
    line,
    order_agrees,
    quantile_cells,
    ranks,
    roughness,
    shared,
    touching,
    unit,
)
from aurify.inspection.suspects import FEWEST, ROWS_OF_A_NUMBER, Others, Score, Single, Suspect, share_of

if TYPE_CHECKING:
    from aurify.inspection.inspected import Inspected

BINS = 100
DRAWS = 200
"""Resamples of the rows for the interval of an R2."""

ROUGH = 0.3
"""Jumps from one target to the next, above which nothing is worth a closer look: noise of a third of the spread."""

SAME = 0.5
"""Of the rows, beyond chance, in which a column is the target to a hair: more is no measurement."""

ORDERED = 0.9
FEWEST_LEVELS = 5
"""Values, equally frequent ones, below which an order says little."""

NEAR = 0.985
"""R2, without the strangest rows, of a column taken for the target as it is."""

STRONG = 0.95
CURVE_ROWS = 200
WINS = 0.7
"""Of the rows in which a suspect is nearer to the target than what the others say, at least, with 95% confidence."""

FAR = 4.0
"""How many times less of the target a merely strong column leaves open than all the others."""

STRONGEST = 3
LAGS = range(1, 8)


@dataclass(frozen=True, kw_only=True, eq=False)
class Traced:
    """A column that follows the target in rows ``here`` (m,) bool: how, in which share of them, and its ``guess``."""

    name: str
    how: str
    here: np.ndarray
    guess: np.ndarray
    share: float


def of_numbers(seen: Inspected, singles: list[Single]) -> Iterator[Suspect]:
    """What is the target, has its order or its size, against the others without all of these; then what is strong."""
    target = seen.sampled.target
    others = Others(seen, singles)
    random = np.random.Generator(np.random.PCG64(rng.key(seen.seed, "inspect/suspects")))
    traced = [t for single in singles if (t := _traced(single, seen, random)) is not None]
    traced = [t for t in traced if not _is_lag(seen, t, singles)]
    first = [t for t in traced if t.how != "strong"]
    hidden = frozenset(t.name for t in first)
    rest = others.without(hidden) if hidden else None
    in_rows = max(in_order(seen.sampled.row, ranks(target)), in_order(seen.sampled.row, -ranks(target))) >= 0.8
    near = [t.name for t in first if t.how == "near"]
    for each in first:
        if each.how == "same":
            yield _suspect(seen, each, "target_leak", rest)
        elif rest is None or _wins(each, rest, target):
            severe = rest is not None and not (in_rows and each.how in ("order", "curve"))
            sibling = each.how == "near" and (len(near) > 1 or are_kin(each.name, str(seen.schema.target)))
            check = ("sibling_target" if sibling else "target_leak") if severe else "strong_column"
            yield _suspect(seen, each, check, rest)
    strong = sorted((t for t in traced if t.how == "strong"), key=lambda t: -t.share)
    for each in strong[:STRONGEST]:
        rest = others.without(hidden | {each.name})
        if rest is not None and _far(each, rest, target):
            yield _suspect(seen, each, "strong_column", rest)


def are_kin(one: str, other: str) -> bool:
    """Whether two names differ in a number alone, which one of them may lack: Run1 and Run2, price and price_2."""
    stems = {re.sub(r"[\W_]*\d+", "", name.lower()) for name in (one, other)}
    return len(stems) == 1 and stems != {""}


def _traced(single: Single, seen: Inspected, random: np.random.Generator) -> Traced | None:
    target, fold = seen.sampled.target, seen.fold
    ways = [] if single.coded else [single.values]
    if single.repeats:
        ways.append(_middles(single, target, fold))
    for values in ways:
        here = np.isfinite(values)
        if here.sum() < max(FEWEST, 0.5 * len(here)) or np.ptp(values[here]) == 0:
            continue
        if roughness(values[here], target[here]) > ROUGH and closeness(values[here], target[here]) < STRONG:
            continue
        found = _agrees(single.name, values, here, target, fold, random, values is single.values)
        if found is not None:
            return found
    return None


def _agrees(
    name: str,
    values: np.ndarray,
    here: np.ndarray,
    target: np.ndarray,
    fold: np.ndarray,
    random: np.random.Generator,
    own: bool,
) -> Traced | None:
    """The plainest way in which a column agrees with the target, if any, by its ``own`` values or by their medians."""
    x, y = values[here], target[here]
    slope, offset = line(unit(x), unit(y), random)
    straight = slope * unit(x) + offset
    if own and slope and (share := shared(straight, unit(y), random)) >= SAME:
        return _trace(name, "same", here, straight * _step(y) + np.median(y), share)
    guess = _guesses(x, y, fold[here])
    if _is_fine(x, y) and (share := order_agrees(x, y, random)) >= ORDERED:
        return _trace(name, "order", here, guess, share)
    if own and (share := closeness(x, y)) >= NEAR:
        return _trace(name, "near", here, x, share)
    if own and _is_curve(x, y, random):
        return _trace(name, "curve", here, guess, 1 - roughness(x, y))
    if (share := closeness(guess, y)) >= STRONG:
        return _trace(name, "strong", here, guess, share)
    return None


def _is_fine(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether ``x`` has values enough for an order to say something: many, or few that part ``y`` as bins do."""
    levels = np.unique(x, return_counts=True)[1] / len(x)
    return bool(
        1 / (levels**2).sum() >= FEWEST_LEVELS
        and (len(levels) > len(x) / 3 or (len(levels) <= len(x) / 10 and touching(x, y)))
    )


def _is_curve(x: np.ndarray, y: np.ndarray, random: np.random.Generator) -> bool:
    """Whether ``x`` moves with ``y`` twice as smooth as with a little noise; many rows, few tied."""
    if min(len(np.unique(x)), len(np.unique(y))) < max(CURVE_ROWS, len(x) / 3):
        return False
    noise = HONEST_NOISE * float(ranks(y).std())
    return roughness(x, y) <= roughness(ranks(y) + random.normal(0, noise, len(y)), y) / 2


def _trace(name: str, how: str, here: np.ndarray, guess: np.ndarray, share: float) -> Traced:
    every = np.full(len(here), np.nan)
    every[here] = guess
    return Traced(name=name, how=how, here=here, guess=every, share=share)


def _step(y: np.ndarray) -> float:
    """What one ``unit`` of it is worth."""
    moved = unit(y)
    low, high = int(moved.argmin()), int(moved.argmax())
    return float(y[high] / (moved[high] - moved[low]) - y[low] / (moved[high] - moved[low]))


def _middles(single: Single, target: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """The median target (m,) of each value, of the other folds where a value has few rows; NaN where there is none."""
    silent = np.isnan(single.values)
    cells = np.unique(np.where(silent, -np.inf, single.values), return_inverse=True)[1]
    often = len(cells) >= ROWS_OF_A_NUMBER * (cells.max() + 1)
    found = np.full(len(target), np.nan)
    for at in np.unique(fold):
        train, asked = ((fold != at) | often) & ~silent, (fold == at) & ~silent
        known, middle = _medians(cells[train], target[train])
        place = np.searchsorted(known, cells[asked]).clip(max=max(len(known) - 1, 0))
        if len(known):
            found[asked] = np.where(known[place] == cells[asked], middle[place], np.nan)
    return found


def _medians(cells: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The cells that there are, ascending, and the median of the values in each."""
    order = np.lexsort((values, cells))
    known, start, counts = np.unique(cells[order], return_index=True, return_counts=True)
    low, high = values[order][start + (counts - 1) // 2], values[order][start + counts // 2]
    return known, low / 2 + high / 2


def _guesses(x: np.ndarray, y: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """What ``x`` alone says of ``y`` (n,), from medians of the other folds in bins of ``x`` and straight between."""
    guess = np.full(len(y), np.median(y))
    for at in np.unique(fold):
        train = fold != at
        if train.any():
            cells = quantile_cells(x[train], min(BINS, max(int(train.sum()) // 5, 2)))
            guess[~train] = np.interp(x[~train], _medians(cells, x[train])[1], _medians(cells, y[train])[1])
    return guess


def _wins(traced: Traced, rest: np.ndarray, target: np.ndarray) -> bool:
    """Whether it is nearer to the target than the others in far more rows than not."""
    here = traced.here
    nearer = np.abs(traced.guess - target)[here] < np.abs(rest - target)[here]
    return share_of(nearer)[1] >= WINS


def _far(traced: Traced, rest: np.ndarray, target: np.ndarray) -> bool:
    """Whether the others leave far more of the target open, in most rows."""
    here = traced.here
    theirs = 1 - closeness(rest[here], target[here])
    return theirs >= FAR * (1 - traced.share) and _wins(traced, rest, target)


def _is_lag(seen: Inspected, traced: Traced, singles: list[Single]) -> bool:
    """Whether the column is the target of an earlier or later row, which may be known in time and is no copy."""
    every = np.full(len(seen.store), np.nan)
    every[seen.rows] = seen.target
    values = next(single.values for single in singles if single.name == traced.name)
    for lag in (*LAGS, *(-lag for lag in LAGS)):
        beside = seen.sampled.row - lag
        within = (beside >= 0) & (beside < len(every))
        theirs = every[beside[within]]
        known = np.isfinite(theirs) & np.isfinite(values[within])
        moved = known & (theirs != seen.sampled.target[within])
        if moved.sum() >= FEWEST and (theirs == values[within])[moved].mean() >= 0.8:
            return True
    return False


def _suspect(seen: Inspected, traced: Traced, check: str, rest: np.ndarray | None) -> Suspect:
    """With the R2 of the column alone, of a model of all columns and of one of the others."""
    here, target = traced.here, seen.sampled.target
    answers = {"alone": traced.guess, "all": seen.answers} | ({} if rest is None else {"rest": rest})
    scores = {key: _r2(each[here], target[here], seen.seed) for key, each in answers.items()}
    if traced.how in ("same", "order"):
        share = share_of(np.arange(int(here.sum())) < traced.share * here.sum())
    elif rest is None:
        share = scores["alone"]
    else:
        share = share_of(np.abs(traced.guess - target)[here] < np.abs(rest - target)[here])
    return Suspect(name=traced.name, check=check, how=traced.how, share=share, rows=len(target), scores=scores)


def _r2(guess: np.ndarray, y: np.ndarray, seed: int) -> Score:
    """R2 with a percentile interval over resampled rows (Efron 1979), without the strangest where others differ."""
    miss = np.abs(guess - y)
    kept = miss <= np.quantile(miss, 1 - TRIMMED)
    if np.ptp(y[kept]) == 0:
        kept[:] = True
    missed, apart = unit_squares(miss[kept], y[kept])
    random = np.random.Generator(np.random.PCG64(rng.key(seed, "inspect/r2")))
    times = random.multinomial(len(missed), np.full(len(missed), 1 / len(missed)), size=DRAWS)
    drawn = 1 - (times @ missed) / np.maximum(times @ apart, np.finfo(float).tiny)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return closeness(guess, y), float(low), float(high)


def unit_squares(miss: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Squares of misses and of distances to the mean, by the largest one, so that none overflows."""
    apart = y - y.mean()
    reach = max(float(np.abs(apart).max()), float(miss.max())) or 1.0
    return (miss / reach) ** 2, (apart / reach) ** 2
