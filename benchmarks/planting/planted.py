"""What a planting is: a table with one defect, and what must be said about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl


@dataclass(frozen=True)
class Planted:
    """A table with a defect, the columns that a finding must name (none where it is about rows) and what is asked.

    ``test`` is a second table to compare with, ``words`` are options of ``aurify.inspect``.
    """

    frame: pl.DataFrame
    columns: tuple[str, ...] = ()
    test: pl.DataFrame | None = None
    words: Mapping[str, Any] = field(default_factory=dict)


Plant = Callable[[pl.DataFrame, str, str, np.random.Generator, float], Planted | None]
"""(clean table, target, ``classify`` or ``regress``, random numbers, strength from 0 hard to 1 plain) to a planting.

None where the table does not lend itself to the defect.
"""


@dataclass(frozen=True)
class Defect:
    """One kind of defect and the checks of which one must find it.

    With ``notes`` a note is enough. ``clear`` defects need a base whose target is predicted well, ``weak`` ones a base
    whose target is not, ``smooth`` ones a base of continuous columns.
    """

    plant: Plant
    checks: Sequence[str]
    notes: bool = False
    clear: bool = False
    weak: bool = False
    smooth: bool = False

    @property
    def name(self) -> str:
        return self.plant.__name__


def between(low: float, high: float, strength: float) -> float:
    """From ``low`` at strength 0 to ``high`` at strength 1."""
    return low + (high - low) * strength


def codes_of(frame: pl.DataFrame, target: str) -> np.ndarray:
    """Class codes (n,) of the target, in an order of their texts."""
    return frame[target].cast(pl.String).rank("dense").to_numpy().astype(np.int64) - 1


def numbers_in(frame: pl.DataFrame, target: str, least: int = 20) -> list[str]:
    """Columns of numbers beside the target with at least so many different values and few missing ones."""
    return [
        c
        for c in frame.columns
        if c != target and frame[c].dtype.is_numeric() and frame[c].n_unique() >= least and frame[c].null_count() == 0
    ]


def one_number(frame: pl.DataFrame, target: str, random: np.random.Generator) -> str | None:
    """A column of numbers to spoil, None where there is none."""
    names = numbers_in(frame, target)
    return str(random.choice(names)) if names else None


WORDS = ("north", "south", "east", "west", "centre", "harbour", "upper town", "lower town")


def with_category(frame: pl.DataFrame, target: str, random: np.random.Generator) -> tuple[pl.DataFrame, str]:
    """The table and one of its columns of words; where it has none it gets one that tells nothing."""
    own = [
        c
        for c in frame.columns
        if c != target
        and frame[c].dtype == pl.String
        and 2 <= frame[c].n_unique() <= 50
        and (frame[c].str.len_chars().max() or 0) >= 4
        and frame[c].null_count() == 0
    ]
    if own:
        return frame, str(random.choice(own))
    words = pl.Series("district", random.choice(WORDS, frame.height, p=np.arange(1, 9) / 36))
    return frame.with_columns(words), "district"


def rows_chosen(random: np.random.Generator, rows: int, share: float) -> np.ndarray:
    """At least two different row positions, about a share of all."""
    return random.choice(rows, max(2, round(share * rows)), replace=False)


def parted(frame: pl.DataFrame, random: np.random.Generator) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Seven tenths to learn from and three to test, at random."""
    order = random.permutation(frame.height)
    cut = round(0.7 * frame.height)
    return frame[order[:cut]], frame[order[cut:]]


def spoilt(frame: pl.DataFrame, column: str, rows: np.ndarray, values: Sequence[Any] | np.ndarray) -> pl.DataFrame:
    """With other values in some rows of a column; the column takes the type of the values where it must."""
    series = frame[column]
    fresh = pl.Series(column, values)
    if series.dtype != fresh.dtype:
        kind = pl.String if pl.String in (series.dtype, fresh.dtype) else pl.Float64
        series, fresh = series.cast(kind), fresh.cast(kind)
    return frame.with_columns(series.clone().scatter(rows.tolist(), fresh))


def shuffled(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    return frame[random.permutation(frame.height)]
