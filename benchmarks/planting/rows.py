"""Rows that stand twice, on both sides of a split, or in an order; and test files that differ."""

from __future__ import annotations

import numpy as np
import polars as pl

from benchmarks.planting.planted import (
    Defect,
    Planted,
    between,
    codes_of,
    numbers_in,
    one_number,
    parted,
    rows_chosen,
    shuffled,
    with_category,
)

SURELY = 5.0
"""Standard errors below which a difference between two files is not surely one: one of several columns, at 1 %."""

CORRELATED = 0.6
"""Correlation from which two columns are taken to belong together."""


def exact_duplicates(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted:
    """1 to 20 % of the rows once more."""
    rows = rows_chosen(random, frame.height, between(0.01, 0.2, strength))
    return Planted(shuffled(pl.concat([frame, frame[rows]]), random))


def conflicting_duplicates(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted:
    """2 to 15 % of the rows once more, with another target."""
    copies = frame[rows_chosen(random, frame.height, between(0.02, 0.15, strength))]
    if kind == "classify":
        codes = codes_of(frame, target)
        labels = {int(c): frame[target][int(np.argmax(codes == c))] for c in np.unique(codes)}
        own = copies[target].to_list()
        others = [random.choice([k for k, v in labels.items() if v != label]) for label in own]
        fresh = pl.Series(target, [labels[int(k)] for k in others], dtype=frame[target].dtype)
    else:
        spread = float(frame[target].cast(pl.Float64).std())
        fresh = copies[target] + pl.Series(random.choice([-1, 1], copies.height) * random.uniform(0.5, 2) * spread)
    return Planted(
        shuffled(pl.concat([frame, copies.with_columns(fresh.alias(target).cast(frame[target].dtype))]), random)
    )


def near_duplicates(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """3 to 20 % of the rows once more, their numbers a little beside, or one cell another."""
    names = [c for c in numbers_in(frame, target, 50) if frame[c].dtype.is_float()]
    if len(names) < 4:
        return None
    copies = frame[rows_chosen(random, frame.height, between(0.03, 0.2, strength))]
    if random.random() < 0.5:
        name = str(random.choice(names))
        values = np.unique(frame[name].to_numpy())
        own = np.searchsorted(values, copies[name].to_numpy())
        other = (own + random.integers(1, len(values), copies.height)) % len(values)
        copies = copies.with_columns(pl.Series(name, values[other]))
    else:
        reach = 10 ** random.uniform(-5, -3)
        copies = copies.with_columns(
            pl.col(c) + pl.Series(random.normal(0, reach * float(frame[c].std()), copies.height)) for c in names
        )
    return Planted(shuffled(pl.concat([frame, copies]), random))


def test_repeats(frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float) -> Planted:
    """A test file of which 5 to 30 % are training rows."""
    train, test = parted(frame, random)
    rows = rows_chosen(random, train.height, between(0.05, 0.3, strength) * test.height / train.height)
    return Planted(train, test=shuffled(pl.concat([test[len(rows) :], train[rows]]), random))


def entities(frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float) -> Planted:
    """Each entity in 3 to 10 rows that are much alike, under a random split."""
    firsts = frame[random.permutation(frame.height)[: max(10, frame.height // 6)]]
    repeats = random.integers(3, 11, firsts.height)
    entity = np.repeat(np.arange(firsts.height), repeats)
    rows = firsts[entity]
    noise = between(0.2, 0.05, strength)
    rows = rows.with_columns(
        pl.col(c) + pl.Series(random.normal(0, noise * float(frame[c].std() or 0), rows.height))
        for c in frame.columns
        if frame[c].dtype.is_float()
    )
    names = random.permutation(10 * firsts.height)[entity]
    rows = rows.with_columns(pl.Series("subject", [f"S{n:05d}" for n in names]))
    return Planted(shuffled(rows, random), ("subject",))


def time_drift(frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float) -> Planted:
    """A date along which target and columns drift, under a random split."""
    value = codes_of(frame, target).astype(float) if kind == "classify" else frame[target].rank().to_numpy()
    noise = between(1.5, 0.3, strength) * value.std()
    order = np.argsort(value + random.normal(0, noise, frame.height))
    days = np.empty(frame.height, dtype=np.int64)
    days[order] = np.sort(random.integers(0, 1500, frame.height))
    dates = pl.Series("recorded", np.datetime64("2016-01-01", "D") + days)
    drifting = [c for c in numbers_in(frame, target) if frame[c].dtype.is_float()][:2]
    share = days / 1500
    moved = [pl.col(c) + pl.Series(share * between(0.5, 2, strength) * float(frame[c].std() or 0)) for c in drifting]
    return Planted(frame.with_columns(dates, *moved)[np.argsort(days, kind="stable")], ("recorded",))


def _error(train: pl.DataFrame, test: pl.DataFrame) -> float:
    """The standard error of a difference of two means, in standard deviations."""
    return float(np.sqrt(1 / train.height + 1 / test.height))


def moved_column(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """A test file in which one column lies 0.5 to 2 standard deviations higher, as far as its rows can tell."""
    name = one_number(frame, target, random)
    if name is None:
        return None
    train, test = parted(frame, random)
    step = max(between(0.5, 2, strength), SURELY * _error(train, test)) * float(frame[name].cast(pl.Float64).std())
    step = step if frame[name].dtype.is_float() else max(1, round(step))
    return Planted(train, (name,), test.with_columns(pl.col(name) + step))


def moved_share(frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float) -> Planted:
    """A test file in which 20 to 60 % of the rows have one category more, as far as its rows can tell."""
    frame, name = with_category(frame, target, random)
    train, test = parted(frame, random)
    value = frame[name].value_counts(sort=True)[name][-1]
    odds = (SURELY * _error(train, test)) ** 2
    there = random.random(test.height) < max(between(0.2, 0.6, strength), odds / (1 + odds))
    return Planted(
        train,
        (name,),
        test.with_columns(pl.when(pl.Series(there)).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)),
    )


def other_unit(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """A test file in which one column is in another unit."""
    name = one_number(frame, target, random)
    if name is None:
        return None
    train, test = parted(frame, random)
    return Planted(train, (name,), test.with_columns(pl.col(name) * round(between(100, 1000, strength))))


def broken_together(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """A test file whose columns are each as before, but one of two that belong together is shuffled."""
    names = numbers_in(frame, target)
    if len(names) < 2:
        return None
    together = np.abs(np.corrcoef(frame[names].to_numpy().astype(float), rowvar=False))
    np.fill_diagonal(together, 0)
    pairs = np.argwhere(together > between(CORRELATED, 0.85, strength))
    if not len(pairs):
        return None
    name = names[pairs[random.integers(len(pairs))][0]]
    train, test = parted(frame, random)
    return Planted(train, test=test.with_columns(pl.Series(name, random.permutation(test[name].to_numpy()))))


DEFECTS = (
    Defect(exact_duplicates, ("duplicates",)),
    Defect(conflicting_duplicates, ("conflicting_rows",)),
    Defect(near_duplicates, ("near_duplicates",), smooth=True),
    Defect(test_repeats, ("test_overlap",)),
    Defect(entities, ("entities",)),
    Defect(time_drift, ("time_order",)),
    Defect(moved_column, ("shift",)),
    Defect(moved_share, ("shift",)),
    Defect(other_unit, ("shift",)),
    Defect(broken_together, ("joint_shift",)),
)
