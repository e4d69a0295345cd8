"""Cells as texts: which ones mean a missing value, and one spelling for each of the others."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

MARKS = frozenset(
    {"", "?", "na", "n/a", "#n/a", "#na", "<na>", "nan", "nat", "null", "(null)", "[null]", "\\n"}
    | {"#value!", "#ref!", "#div/0!", "#name?", "#num!", "#null!"}
)
"""Texts that mean a missing value in every column, in lower case."""

NUMBER_MARKS = frozenset(
    {"-", "--", "---", "\u2013", "\u2014", ".", "..", "...", "none", "nil", "missing", "unknown", "n.a.", "n.a", "nd"}
    | {"not available", "not applicable", "tbd", "\u65e0"}
)
"""Texts that mean a missing value among numbers and dates; a category may well be called so (no garage: None)."""

TRUTHS = (("false", "true"), ("no", "yes"), ("n", "y"), ("f", "t"), ("off", "on"), ("0", "1"))
"""Pairs of words that say whether something is so, in lower case."""

SPELLINGS = 64
"""More ways to capitalise false and true than there are."""


def as_texts(values: pl.Series) -> pl.Series:
    """Texts without blanks at their ends; whole floats as integers, so that 1.0 and 1 are one spelling."""
    import polars as pl

    if values.dtype.is_float():
        whole = (values == values.floor()) & (values.abs() < 2.0**53)
        spelled = values.fill_nan(None).cast(pl.String)
        return pl.select(
            pl.when(whole).then(values.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(spelled)
        ).to_series()
    if values.dtype in (pl.Object, pl.Binary, pl.Duration) or values.dtype.is_nested():  # polars has no words for these
        values = pl.Series([None if value is None else str(value) for value in values.to_list()], dtype=pl.String)
    return values.cast(pl.String, strict=False).str.strip_chars()


def is_missing(text: str, missing: Collection[str]) -> bool:
    """Whether a stripped text means a missing value in every column; ``missing`` are the user's own marks."""
    return text.lower() in MARKS or text in missing


def known_texts(values: pl.Series, missing: Collection[str] = ()) -> pl.Series:
    """The same as texts, null for what means a missing value."""
    texts = as_texts(values)
    return texts.set((texts.str.to_lowercase().is_in(MARKS) | texts.is_in(list(missing))).fill_null(False), None)


def counted(values: pl.Series, missing: Collection[str]) -> pl.DataFrame:
    """The different texts of a column, missing ones left out, and how many rows hold each: ``text`` and ``rows``.

    Pairs such as true and false have one spelling however their letters are capitalised.
    """
    import polars as pl

    text = pl.col("text")
    rows = pl.DataFrame({"text": as_texts(values)}).group_by("text", maintain_order=True).len("rows")
    rows = rows.with_columns(known_texts(rows["text"], missing)).drop_nulls()
    words = set(rows["text"].head(SPELLINGS).str.to_lowercase().to_list())
    pair = next((t for t in TRUTHS if words and words <= set(t)), None)
    if pair is None or rows.height > SPELLINGS or (rows.height == len(words) and pair != TRUTHS[0]):
        return rows
    return rows.with_columns(text.str.to_lowercase()).group_by("text", maintain_order=True).agg(pl.col("rows").sum())
