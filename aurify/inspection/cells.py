"""Cells of the source as they were written and as they were read, for the checks that look at values."""

# R rows of the source itself

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import numpy as np

from aurify.data.columns import LEFT_OUT, Column
from aurify.data.texts import MARKS, NUMBER_MARKS, as_texts
from aurify.inspection.inspected import Inspected

if TYPE_CHECKING:
    import polars as pl

MOST_KEPT = 50_000
"""Different texts of a column that are kept; those of columns with more are counted anew by each check."""

BY_USER = ("dropped by you", "the rows' weight", "it groups the rows", "an id (as you say)", "free text (as you say")
"""How reasons begin that the user gave: there is nothing to tell about such columns."""


def watched(seen: Inspected) -> Iterator[Column]:
    """The columns that are learnt from, or left out for a reason that the user did not give."""
    return (c for c in seen.columns if c.kind != LEFT_OUT or not c.reason.startswith(BY_USER))


def holds_texts(seen: Inspected, name: str) -> bool:
    """Whether the cells of a column are texts, not numbers, moments or truths."""
    import polars as pl

    return seen.frame[name].dtype in (pl.String, pl.Categorical, pl.Enum)


def texts_of(seen: Inspected, name: str) -> pl.DataFrame:
    """The different texts of a column, blanks at their ends left out, and their rows: ``text`` and ``rows``."""
    import polars as pl

    if name in seen.written:
        return seen.written[name]
    held = pl.DataFrame({"text": as_texts(seen.frame[name])}).group_by("text", maintain_order=True).len("rows")
    held = held.drop_nulls().with_columns(pl.col("rows").cast(pl.Int64))
    if held.height <= MOST_KEPT:
        seen.written[name] = held
    return held


def without_missing(seen: Inspected, held: pl.DataFrame, *, numbers: bool) -> pl.DataFrame:
    """The texts that mean something; among ``numbers`` and dates more texts mean nothing."""
    import polars as pl

    marks = MARKS | NUMBER_MARKS if numbers else MARKS
    text = pl.col("text")
    return held.filter(~(text.str.to_lowercase().is_in(list(marks)) | text.is_in(list(seen.schema.missing))))


def rows_with(seen: Inspected, name: str, texts: Collection[str]) -> np.ndarray:
    """The row ids (R',) whose cell is one of these texts."""
    return as_texts(seen.frame[name]).is_in(list(texts)).fill_null(False).arg_true().to_numpy().astype(np.int64)


def own_values(seen: Inspected, name: str) -> np.ndarray | None:
    """A learnt column as it was typed, (R,): float64 (NaN missing) or int32 codes below 0; None if left out."""
    values = seen.typed(name)
    return None if values is None else np.asarray(values[: seen.frame.height])


def told(held: pl.DataFrame, most: int = 3) -> str:
    """The most frequent texts, as they are, with their rows: ``'low' (12), 'high' (3)``."""
    top = held.sort("rows", "text", descending=[True, False]).head(most)
    shown = ", ".join(f"{text!r} ({rows:,})" for text, rows in top.select("text", "rows").iter_rows())
    return shown + (", ..." if held.height > most else "")
