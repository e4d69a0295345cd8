"""What columns say about rows: which belong together, when each was, how much each counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from aurify.core.errors import AurifyError, listing, suggest
from aurify.core.words import said
from aurify.data import dates
from aurify.data.columns import MOSTLY
from aurify.data.schema import Schema
from aurify.data.texts import counted, known_texts

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
        alone = said(
            "{rows:,} rows have no value in {column!r}: each is taken as a group of its own",
            rows=missing,
            column=column,
        )
        return {"group": groups}, [alone] if missing else []
    return {"time": as_times(values, column)}, []


def _groups(values: Sequence[pl.Series]) -> np.ndarray:
    """Codes (N,) int64, equal where the values are, -1 for missing."""
    import polars as pl

    texts = pl.concat([known_texts(each).alias("") for each in values])
    return (texts.rank("dense").cast(pl.Int64) - 1).fill_null(-1).to_numpy()


def as_times(values: Sequence[pl.Series], name: str) -> np.ndarray:
    """Numbers as they are and dates as seconds since 1970 (N,) float64 over all tables' ``values``, NaN for missing.

    Dates are read in the one order that reads most of them. Raises AurifyError when many values of the column ``name``
    are neither.
    """
    import polars as pl

    texts = [known_texts(each) for each in values if each.dtype in (pl.String, pl.Categorical)]
    order = dates.find_format(counted(pl.concat(texts), ()))[0] if texts else dates.ISO
    return np.concatenate([_times(each, name, order) for each in values])


def _times(values: pl.Series, name: str, order: str) -> np.ndarray:
    import polars as pl

    if values.dtype.is_numeric():
        texts, times = values, values.cast(pl.Float64)
    elif values.dtype in (pl.Date, pl.Datetime):
        texts, times = values, dates.read_dates(values, order)
    elif values.dtype.is_temporal() or values.dtype.is_nested():
        raise AurifyError(f"column {name!r} is made of {values.dtype} values, which cannot say when rows were")
    else:
        texts = known_texts(values)
        either = texts.cast(pl.Float64, strict=False), dates.read_dates(texts, order)
        times = min(either, key=lambda each: each.null_count())
    strange = texts.filter(times.is_null() & texts.is_not_null())
    if strange.len() > MOSTLY * (texts.len() - texts.null_count()):
        raise AurifyError(
            f"column {name!r} cannot say when rows were: {listing(strange.unique(maintain_order=True)[:3])} are neither"
            " numbers nor dates; name another with --split time:COLUMN"
        )
    found = times.fill_null(float("nan")).to_numpy()
    return np.where(np.isfinite(found), found, np.nan)


def weight_role(
    schema: Schema, frames: Sequence[pl.DataFrame], names: Sequence[str]
) -> tuple[dict[str, np.ndarray], list[str]]:
    """``{"weight": (N,) float64}`` over the rows of all frames, and what was noticed; ``{}`` where nothing says so.

    Rows of a frame without the column count once each.
    """
    weights = [schema.parse_weight(frame, name) for frame, name in zip(frames, names, strict=True)]
    if schema.weight is None:
        return {}, []
    notes: list[str] = [
        said("{name} lacks the weight column {column!r}: its rows count once each", name=name, column=schema.weight)
        for name, weight in zip(names, weights, strict=True)
        if weight is None
    ]
    if all(weight is None for weight in weights):
        return {}, notes
    found = np.concatenate([np.ones(f.height) if w is None else w for w, f in zip(weights, frames, strict=True)])
    without = int((~(found > 0)).sum())
    if without:
        left = said(
            "{rows:,} rows have no weight in {column!r}, or 0, and are left out", rows=without, column=schema.weight
        )
        notes.append(left)
    return {"weight": found}, notes
