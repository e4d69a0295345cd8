"""Cells of columns as values: numbers, dates and texts, with what means a missing value."""

# N rows

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from aurify.data.columns import mark_numbers
from aurify.data.dates import ISO, read_dates
from aurify.data.number_text import read_numbers
from aurify.data.texts import NUMBER_MARKS, as_texts, is_missing

if TYPE_CHECKING:
    import polars as pl


class Cells:
    """Reads the cells of columns; ``missing`` are the user's own marks of missing values."""

    def __init__(self, missing: Sequence[str]):
        self.missing = missing

    @cached_property
    def _marks(self) -> list[float]:
        return mark_numbers(self.missing)

    def numbers(self, values: pl.Series, format: str) -> tuple[np.ndarray, list[str], int]:
        """Numbers (N,) with NaN for missing, texts that are none, and how many were infinite."""
        import polars as pl

        unread: list[str] = []
        if values.dtype.is_temporal():
            values = _seconds(values)
        elif not values.dtype.is_numeric() and values.dtype != pl.Boolean:
            texts = as_texts(values)
            values = read_numbers(texts, format)
            unread = self._unread(texts, values)
        numbers = values.cast(pl.Float64).to_numpy()
        odd = infinite = np.isinf(numbers)
        if self._marks:
            odd = infinite | np.isin(numbers, self._marks)
        return np.where(odd, np.nan, numbers) if odd.any() else numbers, unread, int(infinite.sum())

    def dates(self, values: pl.Series, format: str) -> tuple[np.ndarray, list[str]]:
        """Seconds since 1970 (N,) with NaN for missing, and texts that are no dates."""
        import polars as pl

        if values.dtype in (pl.Date, pl.Datetime):
            return read_dates(values, format).to_numpy(), []
        texts = as_texts(values)
        seconds = read_dates(texts, format)
        unread = self._unread(texts, seconds)
        return seconds.set(texts.is_in(list(self.missing)).fill_null(False), None).to_numpy(), unread

    def prose(self, values: pl.Series) -> list[str]:
        """What each row says, "" where nothing or one of the user's marks of missing values."""
        texts = as_texts(values)
        return texts.set(texts.is_in(list(self.missing)).fill_null(True), "").to_list()

    def _unread(self, texts: pl.Series, read: pl.Series) -> list[str]:
        """Texts that should have been read and mean no missing value."""
        if read.null_count() == texts.null_count():
            return []
        odd = texts.filter(read.is_null() & texts.is_not_null()).unique(maintain_order=True).to_list()
        return [t for t in odd if not is_missing(t, self.missing) and t.lower() not in NUMBER_MARKS]


def _seconds(values: pl.Series) -> pl.Series:
    """Durations and times of day."""
    import polars as pl

    if values.dtype == pl.Duration:
        return values.dt.total_microseconds() / 1e6
    return values.cast(pl.Int64) / 1e9 if values.dtype == pl.Time else read_dates(values, ISO)
