"""The column that a split goes by: which rows belong together, or when each row was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from aurify.core.errors import AurifyError, listing, suggest
from aurify.data import dates
from aurify.data.columns import MOSTLY
from aurify.data.texts import counted, plain_texts

if TYPE_CHECKING:
    import polars as pl


def split_column(by: str) -> str | None:
    """The column of ``group:COLUMN`` or ``time:COLUMN``.

    >>> split_column("time:Date"), split_column("random")
    ('Date', None)
    """
    return by.partition(":")[2] or None


def split_role(
    by: str, frames: Sequence[pl.DataFrame], names: Sequence[str]
) -> tuple[dict[str, np.ndarray], list[str]]:
    """``{"group": (N,) int64}`` or ``{"time": (N,) float64}`` over the rows of all frames, and what was noticed.

    ``{}`` for a random split. Raises AurifyError for a column that a frame lacks, and for times that are none.
    """
    column = split_column(by)
    if column is None:
        return {}, []
    for frame, name in zip(frames, names, strict=True):
        if column not in frame.columns:
            raise AurifyError(f"column {column!r} of --split {by} is not in {name}{suggest(column, frame.columns)}")
    values = [frame[column] for frame in frames]
    if by.startswith("group:"):
        groups = _groups(values)
        missing = int((groups < 0).sum())
        said = f"{missing:,} rows have no value in {column!r}: each is taken as a group of its own"
        return {"group": groups}, [said] if missing else []
    times = np.concatenate([as_times(each, column) for each in values])
    return {"time": times}, []


def _groups(values: Sequence[pl.Series]) -> np.ndarray:
    """Codes (N,) int64, equal where the values are, -1 for missing."""
    import polars as pl

    texts = pl.concat([plain_texts(each).alias("") for each in values])
    return (texts.rank("dense").cast(pl.Int64) - 1).fill_null(-1).to_numpy()


def as_times(values: pl.Series, name: str) -> np.ndarray:
    """Numbers as they are and dates as seconds since 1970 (N,) float64, NaN for missing.

    Raises AurifyError when many values of the column ``name`` are neither.
    """
    import polars as pl

    if values.dtype.is_numeric():
        times = values.cast(pl.Float64)
    elif values.dtype in (pl.Date, pl.Datetime):
        times = dates.read_dates(values, dates.ISO)
    elif values.dtype in (pl.String, pl.Boolean, pl.Categorical):
        times = _read_times(values, name)
    else:
        raise AurifyError(f"column {name!r} is made of {values.dtype} values, which cannot say when rows were")
    found = times.fill_null(float("nan")).to_numpy()
    return np.where(np.isfinite(found), found, np.nan)


def _read_times(values: pl.Series, name: str) -> pl.Series:
    """Texts as numbers, or as dates in the one order that reads most of them."""
    import polars as pl

    texts = plain_texts(values)
    format, read, _ = dates.find_format(counted(values, ()))
    times = texts.cast(pl.Float64, strict=False)
    if texts.len() - times.null_count() < read:
        times = dates.read_dates(texts, format)
    strange = texts.filter(times.is_null() & texts.is_not_null())
    if strange.len() > MOSTLY * (texts.len() - texts.null_count()):
        raise AurifyError(
            f"column {name!r} cannot say when rows were: {listing(strange.unique(maintain_order=True)[:3])} are neither"
            " numbers nor dates; name another with --split time:COLUMN"
        )
    return times
