"""Cells that are missing, disguised, of mixed types, out of range or written otherwise; columns that tell nothing."""

from __future__ import annotations

import numpy as np
import polars as pl

from benchmarks.planting.planted import Defect, Planted, between, one_number, rows_chosen, spoilt, with_category

NAMES = ("Café", "Zürich", "Málaga", "Orléans", "Łódź", "Bjørn", "Señor", "Übersee")
UNKNOWN = ("not known", "n.v.", "not measured", "pending", "see notes")
"""Not "unknown": among numbers that is read as a missing value, and so is none of the table's defects."""


def missing_block(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """Two to four full columns that are empty together in 10 to 40 % of the rows."""
    own = [c for c in frame.columns if c != target and frame[c].null_count() == 0]
    if len(own) < 2:
        return None
    names = tuple(str(n) for n in random.choice(own, min(len(own), int(random.integers(2, 5))), replace=False))
    gone = pl.Series(random.random(frame.height) < between(0.1, 0.4, strength))
    return Planted(frame.with_columns(pl.when(~gone).then(pl.col(n)).alias(n) for n in names), names)


def missing_codes(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """-999 or the like for 3 to 20 % of a column of numbers."""
    name = one_number(frame, target, random)
    if name is None:
        return None
    code = int(random.choice([-999, -9999, 9999, 99999]))
    if abs(float(frame[name].cast(pl.Float64).max() or 0)) >= abs(code) / 3:
        code = -99999999
    rows = rows_chosen(random, frame.height, between(0.03, 0.2, strength))
    return Planted(spoilt(frame, name, rows, [code] * len(rows)), (name,))


def words_in_numbers(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """A word in 1 to 10 % of the cells of a column of numbers."""
    name = one_number(frame, target, random)
    if name is None:
        return None
    rows = rows_chosen(random, frame.height, between(0.01, 0.1, strength))
    return Planted(spoilt(frame, name, rows, [str(random.choice(UNKNOWN))] * len(rows)), (name,))


def mixed_types(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """A column of numbers in which 20 to 50 % of the cells are words of several kinds."""
    name = one_number(frame, target, random)
    if name is None:
        return None
    rows = rows_chosen(random, frame.height, between(0.2, 0.5, strength))
    return Planted(spoilt(frame, name, rows, random.choice(["low", "middle", "high", "very high"], len(rows))), (name,))


def constant(frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float) -> Planted:
    """A column of one value."""
    value = pl.lit(3.5) if random.random() < 0.5 else pl.lit("only")
    return Planted(frame.with_columns(value.alias("planted")), ("planted",))


def near_constant(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """A column that is another in less than 0.5 % of the rows; two of fewer than 500 rows would be more."""
    if frame.height < 500:
        return None
    rows = rows_chosen(random, frame.height, between(0.0045, 0.001, strength))
    base = frame.with_columns(pl.lit(7.0).alias("planted"))
    return Planted(spoilt(base, "planted", rows, random.normal(size=len(rows))), ("planted",))


def id_column(frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float) -> Planted:
    """A number or a code that names rows."""
    values = random.permutation(frame.height) + 100_000
    ids = [f"{random.integers(16**8):08x}-{v}" for v in values] if random.random() < 0.5 else np.sort(values)
    return Planted(frame.with_columns(pl.Series("record_id", ids)), ("record_id",))


def many_categories(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted:
    """A category with a value for every two to four rows."""
    count = max(2, round(frame.height / between(4, 2, strength)))
    values = [f"street {v}" for v in random.integers(0, count, frame.height)]
    return Planted(frame.with_columns(pl.Series("address", values)), ("address",))


def unit_slips(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted | None:
    """0.3 to 2 % of a column of numbers a hundred to a thousand times what they should be."""
    name = one_number(frame, target, random)
    if name is None:
        return None
    values = frame[name].cast(pl.Float64).to_numpy()
    ordinary = np.flatnonzero(np.abs(values) >= np.median(np.abs(values)))
    rows = ordinary[rows_chosen(random, len(ordinary), 2 * between(0.003, 0.02, strength))]
    return Planted(spoilt(frame, name, rows, values[rows] * round(between(100, 1000, strength))), (name,))


def impossible_dates(
    frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float
) -> Planted:
    """A column of dates of which 1 to 5 % are in a year that cannot be."""
    days = np.datetime64("2014-01-01", "D") + random.integers(0, 2000, frame.height)
    rows = rows_chosen(random, frame.height, between(0.01, 0.05, strength))
    days[rows] = np.datetime64(str(random.choice(["1900-01-01", "2999-12-31", "9999-12-31", "1753-01-01"])), "D")
    return Planted(frame.with_columns(pl.Series("seen_on", days)), ("seen_on",))


def mojibake(frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float) -> Planted:
    """Words of which 5 to 50 % were read in another encoding than they were written in."""
    words = random.choice(NAMES, frame.height)
    rows = rows_chosen(random, frame.height, between(0.05, 0.5, strength))
    spoiled = [w.encode().decode("cp1252", errors="replace") for w in words[rows]]
    base = frame.with_columns(pl.Series("town", words))
    return Planted(spoilt(base, "town", rows, spoiled), ("town",))


def full_width(frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float) -> Planted:
    """5 to 50 % of the words of a column in full-width characters."""
    frame, name = with_category(frame, target, random)
    rows = rows_chosen(random, frame.height, between(0.05, 0.5, strength))
    wide = {c: c + 0xFEE0 for c in range(0x21, 0x7F)}
    return Planted(spoilt(frame, name, rows, [str(w).translate(wide) for w in frame[name].to_numpy()[rows]]), (name,))


def respelt(frame: pl.DataFrame, target: str, kind: str, random: np.random.Generator, strength: float) -> Planted:
    """5 to 40 % of the words of a column in other case, with a dot or with other spaces within.

    Blanks at the ends are left out as the cells are read, as is the case of a column of nothing but yes and no.
    """
    frame, name = with_category(frame, target, random)
    ways = (
        str.upper,
        str.lower,
        lambda w: f"{w}.",
        lambda w: f" {w[0]} {w[1:]}",
        lambda w: w.replace(" ", "_").swapcase(),
    )
    way = ways[random.integers(len(ways))]
    rows = rows_chosen(random, frame.height, between(0.05, 0.4, strength))
    fresh = [way(str(w)) for w in frame[name].to_numpy()[rows]]
    if fresh == frame[name].to_numpy()[rows].tolist():
        fresh = [str.swapcase(w) for w in fresh]
    return Planted(spoilt(frame, name, rows, fresh), (name,))


MANY = ("cardinality", "ids", "free_text")
DEFECTS = (
    Defect(missing_block, ("missing",), notes=True),
    Defect(missing_codes, ("missing_codes",)),
    Defect(words_in_numbers, ("numbers_as_text", "mixed_types")),
    Defect(mixed_types, ("numbers_as_text", "mixed_types")),
    Defect(constant, ("constant",), notes=True),
    Defect(near_constant, ("near_constant",), notes=True),
    Defect(id_column, ("ids",), notes=True),
    Defect(many_categories, MANY, notes=True),
    Defect(unit_slips, ("outliers",)),
    Defect(impossible_dates, ("impossible_dates",)),
    Defect(mojibake, ("odd_characters",)),
    Defect(full_width, ("odd_characters", "spellings")),
    Defect(respelt, ("spellings",)),
)
