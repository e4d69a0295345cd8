"""Columns that give the target away, alone or two together."""

from __future__ import annotations

import numpy as np
import polars as pl

from benchmarks.planting.planted import Defect, Planted, between, codes_of, rows_chosen

LEAKS = ("target_leak", "strong_column", "sibling_target")
START = np.datetime64("2019-03-01T00:00:00.000")


def text_copy(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """The target written as a text, where that makes a category: of texts that hardly repeat no model learns."""
    if frame[target].n_unique() > frame.height / 4:
        return None
    text = (
        frame[target].cast(pl.Float64).round(6).cast(pl.String) if kind == "regress" else frame[target].cast(pl.String)
    )
    text = random.choice(["outcome ", "is ", "= "]) + text + random.choice([" (final)", ".", " units"])
    return _added(frame, text.to_numpy() if strength > 0.5 else text.str.to_uppercase().to_numpy())


def date_copy(frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float) -> Planted:
    """A date that the target decides: a stretch of days for each class, or so many hours for a number."""
    if kind == "regress":
        spread = _scaled(frame, target) * between(200, 4000, strength) * 3600
    else:
        days = codes_of(frame, target) * 40 + random.integers(0, round(between(30, 1, strength)), frame.height)
        spread = days * 86_400.0
    return _added(frame, START + (1000 * spread).astype("timedelta64[ms]"))


def recoded_copy(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """Other names for the classes, several for each where it is hard: a column that decides the target."""
    if kind == "regress":
        return None
    codes = codes_of(frame, target)
    names = round(between(6, 1, strength))
    fresh = random.permutation(100 * names * (codes.max() + 1))[: names * (codes.max() + 1)]
    chosen = fresh[codes * names + random.integers(0, names, frame.height)]
    return _added(frame, np.array([f"k{c}" for c in chosen]) if random.random() < 0.5 else chosen)


def scaled_copy(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """Another unit, or a curve that rises or falls with the target."""
    if kind == "classify":
        return None
    share = _scaled(frame, target)
    curves = (
        lambda v: v * random.uniform(0.1, 1000) + random.normal(),
        lambda v: np.log1p(9 * v),
        lambda v: -((v + 0.1) ** 3),
        lambda v: np.exp(between(6, 1, strength) * v),
    )
    return _added(frame, curves[random.integers(len(curves))](share))


def noisy_copy(frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float) -> Planted:
    """A copy of which 5 to 1 % of the rows hold the value of another row."""
    rows = rows_chosen(random, frame.height, between(0.05, 0.01, strength))
    values = codes_of(frame, target).astype(float) if kind == "classify" else frame[target].cast(pl.Float64).to_numpy()
    values = values.copy()
    values[rows] = values[random.integers(0, frame.height, len(rows))]
    return _added(frame, values if kind == "regress" else np.array([f"v{v:.0f}" for v in values]))


def threshold_leak(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted:
    """A number whose thresholds part the classes, or a band of the target."""
    if kind == "regress":
        ranks = frame[target].rank("ordinal").to_numpy() - 1
        return _added(frame, np.array([f"band {b}" for b in ranks * round(between(8, 30, strength)) // frame.height]))
    codes = codes_of(frame, target)
    values = random.permutation(codes.max() + 1)[codes] + random.uniform(0, between(1.02, 0.9, strength), frame.height)
    return _added(frame, np.exp(values))


def missing_leak(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """A column that is filled for one class of two only, but for up to 3 % of the rows."""
    codes = codes_of(frame, target)
    if kind == "regress" or codes.max() > 1:
        return None
    filled = (codes == random.integers(2)) ^ (random.random(frame.height) < between(0.03, 0, strength))
    values = random.normal(50, 9, frame.height).round(1)
    return _added(frame, pl.Series([v if there else None for v, there in zip(values, filled, strict=True)]))


def deciding_pair(frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float) -> Planted:
    """Two columns that tell little alone and everything together: by modulo, sum, difference or product."""
    names = ("part_a", "part_b")
    if kind == "classify":
        codes = codes_of(frame, target)
        size = max(2, codes.max() + 1)
        one = random.integers(0, size, frame.height)
        two = (codes - one) % size
        slips = np.flatnonzero(random.random(frame.height) < between(0.03, 0.0, strength))
        two[slips] = random.integers(0, size, len(slips))
        columns = (one, two) if random.random() < 0.5 else (np.array([f"c{v}" for v in one]), two)
    else:
        value = frame[target].cast(pl.Float64).to_numpy()
        one = random.normal(0, between(3, 1, strength) * value.std(), frame.height)
        factor = np.exp(random.normal(0, between(1, 0.5, strength), frame.height))
        columns = ((one, value - one), (one, one - value), (factor, value / factor))[random.integers(3)]
    return Planted(frame.with_columns(*(pl.Series(n, c) for n, c in zip(names, columns, strict=True))), names)


def sibling(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """The target measured once more, 5 to 1 % of its spread apart."""
    if kind == "classify":
        return None
    value = frame[target].cast(pl.Float64).to_numpy()
    return _added(frame, value + random.normal(0, between(0.05, 0.01, strength) * value.std(), frame.height))


def after_the_event(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted:
    """A number known only afterwards: ROC AUC from 0.97, or R² from 0.95, by itself."""
    if kind == "classify":
        codes = codes_of(frame, target)
        return _added(frame, codes * between(2.7, 4.2, strength) + random.normal(size=frame.height))
    value = frame[target].cast(pl.Float64).to_numpy()
    return _added(frame, value + random.normal(0, between(0.22, 0.1, strength) * value.std(), frame.height))


def _added(frame: pl.DataFrame, values: np.ndarray | pl.Series) -> Planted:
    return Planted(frame.with_columns(pl.Series("planted", values)), ("planted",))


def _scaled(frame: pl.DataFrame, target: str) -> np.ndarray:
    """The target (n,) from 0 to 1."""
    value = frame[target].cast(pl.Float64).to_numpy()
    return (value - value.min()) / (value.max() - value.min())


DEFECTS = (
    *(Defect(p, LEAKS) for p in (text_copy, date_copy, recoded_copy, scaled_copy, noisy_copy, threshold_leak)),
    Defect(missing_leak, LEAKS),
    Defect(deciding_pair, ("target_pair",)),
    Defect(sibling, LEAKS),
    Defect(after_the_event, LEAKS, weak=True),
)
