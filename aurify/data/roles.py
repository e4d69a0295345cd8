"""The column that a split goes by: which rows belong together, or when each row was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from aurify.core.errors import AurifyError, listing, suggest
from aurify.data.schema import MOSTLY, as_texts

if TYPE_CHECKING:
    import polars as pl

FORMATS = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y%m%d", "%d-%m-%Y", "%d %b %Y", "%b %d, %Y")
CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S%.f", "T%H:%M", "T%H:%M:%S", "T%H:%M:%S%.f")


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

    texts = pl.concat([as_texts(each).alias("") for each in values])
    return (texts.rank("dense").cast(pl.Int64) - 1).fill_null(-1).to_numpy()


def as_times(values: pl.Series, name: str) -> np.ndarray:
    """Numbers as they are and dates as seconds since 1970 (N,) float64, NaN for missing.

    Raises AurifyError when many values of the column ``name`` are neither.
    """
    import polars as pl

    texts = as_texts(values) if values.dtype == pl.String or values.dtype in (pl.Boolean, pl.Categorical) else values
    if texts.dtype.is_numeric():
        times = texts.cast(pl.Float64)
    elif texts.dtype in (pl.Date, pl.Datetime):
        times = _seconds(texts)
    elif texts.dtype == pl.String:
        times = _read_times(texts)
    else:
        raise AurifyError(f"column {name!r} is made of {texts.dtype} values, which cannot say when rows were")
    strange = texts.filter(times.is_null() & texts.is_not_null())
    if strange.len() > MOSTLY * (texts.len() - texts.null_count()):
        raise AurifyError(
            f"column {name!r} cannot say when rows were: {listing(strange.unique(maintain_order=True)[:3])} are neither"
            " numbers nor dates; name another with --split time:COLUMN"
        )
    found = times.fill_null(float("nan")).to_numpy()
    return np.where(np.isfinite(found), found, np.nan)


def _read_times(texts: pl.Series) -> pl.Series:
    """Texts read in the one way that reads most of them."""
    import polars as pl

    best = texts.cast(pl.Float64, strict=False)
    for form in (day + clock for day in FORMATS for clock in CLOCKS):
        if best.null_count() == texts.null_count():
            break
        read = _seconds(texts.str.to_datetime(form, strict=False, time_unit="us"))
        best = min(best, read, key=lambda each: each.null_count())
    return best


def _seconds(dates: pl.Series) -> pl.Series:
    import polars as pl

    return dates.cast(pl.Datetime("us")).to_physical().cast(pl.Float64) / 1e6
