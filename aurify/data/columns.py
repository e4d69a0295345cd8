"""What each column of a table is, decided once by looking at all of its values."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aurify.core.errors import AurifyError, listing
from aurify.core.words import Said, said
from aurify.data import dates, number_text
from aurify.data.image_cells import of_images
from aurify.data.noticed import of_column
from aurify.data.prose import says_something
from aurify.data.texts import NUMBER_MARKS, as_texts, counted

if TYPE_CHECKING:
    import polars as pl

NUMBER, CATEGORY, DATE, TEXT, IMAGE, LEFT_OUT = "number", "category", "date", "text", "image", "left out"
TYPES = (NUMBER, CATEGORY, DATE, TEXT, IMAGE, "id")
MOSTLY = 0.2
"""A column of texts of which fewer than this share are no numbers is a column of numbers with slips in it."""
FEW = 50
EMPTY = said("empty")
COMMA = "1234,5"
NAME_WORDS, LONG_WORDS, LONG_CHARACTERS = 3, 6, 40
IDEOGRAPHS = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]"
"""Written without blanks between words, of which about two make one."""

NAMES_ROWS = re.compile(r"(?:^|[\W_])(?i:id|uuid|guid|key|index)$|[a-z](?:ID|Id|Key|UUID)$")
"""Column names that say they name rows: customer_id, orderID, not paid."""


@dataclass(frozen=True)
class Column:
    """One column: its kind, the reason when it is left out, and for categories its values in code order.

    ``format`` is how numbers or dates are written in it, as ``number_text`` and ``dates`` name it, or the form that
    images are brought into (``image_form``).
    """

    name: str
    kind: str
    reason: str = ""
    values: tuple[str, ...] = ()
    format: str = ""


def infer_column(
    name: str, values: pl.Series, missing: Collection[str], wanted: str | None
) -> tuple[Column, list[str]]:
    """Say what a column is, as ``wanted`` by the user where that is given, and what is worth saying about it.

    ``missing`` are the user's own marks of missing values. Raises AurifyError where the values are not what is wanted.
    """
    import polars as pl

    if wanted == IMAGE or (wanted is None and of_images(values)):
        return Column(name, IMAGE), []
    if values.dtype.is_nested() or values.dtype in (pl.Object, pl.Binary):
        if wanted == TEXT:
            raise AurifyError(f"column {name!r} is made of {values.dtype} values; write each as one text to learn from")
        return Column(name, LEFT_OUT, said("made of {kind} values", kind=str(values.dtype))), []
    if wanted is not None:
        return _as_wanted(name, values, missing, wanted)
    if values.dtype.is_numeric():
        return _infer_numeric(name, without_marks(values, missing))
    present = values.drop_nulls()
    if values.dtype in (pl.Date, pl.Datetime):
        if present.n_unique() > 1:
            return Column(name, DATE, format=dates.ISO), []
    elif values.dtype.is_temporal():
        if present.n_unique() > 1:
            return Column(name, NUMBER, format=number_text.CLOCK), [
                said("column {column!r} is read as seconds", column=name)
            ]
    else:
        return _infer_texts(name, values, counted(values, missing))
    if not present.len():
        return Column(name, LEFT_OUT, EMPTY), []
    if present.len() < values.len():
        return Column(name, LEFT_OUT, said("empty but for one value")), []
    return Column(name, LEFT_OUT, _everywhere(str(present[0]))), []


def _everywhere(value: object) -> Said:
    return said("the same everywhere ({value})", value=repr(value))


def without_marks(values: pl.Series, missing: Collection[str]) -> pl.Series:
    """Numbers with null for what is not finite or is a user's mark of a missing value."""
    import polars as pl

    if values.dtype.is_float():
        values = values.fill_nan(None).set(values.is_infinite().fill_null(False), None)
    marks = mark_numbers(missing)
    return values.set(values.cast(pl.Float64).is_in(marks).fill_null(False), None) if marks else values


def mark_numbers(missing: Collection[str]) -> list[float]:
    """Which of the user's marks are numbers, such as -999."""
    import polars as pl

    return pl.Series(list(missing), dtype=pl.String).cast(pl.Float64, strict=False).drop_nulls().to_list()


def _infer_numeric(name: str, plain: pl.Series) -> tuple[Column, list[str]]:
    present = plain.drop_nulls()
    distinct = present.n_unique()
    if distinct == 0:
        return Column(name, LEFT_OUT, EMPTY), []
    if distinct == 1 and present.len() == plain.len():
        return Column(name, LEFT_OUT, _everywhere(present[0])), []
    if not plain.dtype.is_integer():
        return Column(name, NUMBER), []
    if distinct == present.len() > FEW:
        low, high = present.min(), present.max()
        if isinstance(low, int) and isinstance(high, int) and high - low + 1 == distinct:
            return Column(name, LEFT_OUT, said("an id (counts the rows)")), []
        if NAMES_ROWS.search(name):
            why = said("an id (by its name, and {values:,} different values)", values=distinct)
            return Column(name, LEFT_OUT, why), []
    if distinct > 1 and bool(present.is_between(16_000_101, 21_991_231).all()):
        texts = as_texts(present)
        if dates.read_dates(texts, dates.COMPACT).null_count() == 0:
            return _dated(name, dates.COMPACT, None)
    if distinct == present.len() > FEW:
        perhaps = said(
            "column {column!r} holds another whole number in each row; if it only names rows, say --types {column}=id",
            column=name,
        )
        return Column(name, NUMBER), [perhaps]
    return Column(name, NUMBER), []


def _infer_texts(name: str, values: pl.Series, held: pl.DataFrame) -> tuple[Column, list[str]]:
    import polars as pl

    present, distinct = int(held["rows"].sum()), held.height
    if distinct == 0:
        return Column(name, LEFT_OUT, EMPTY), []
    typed = _typed(name, held)
    if typed is not None and (typed[0].kind == DATE or distinct > 1 or present < values.len()):
        return typed
    if distinct == 1 and present == values.len():
        return Column(name, LEFT_OUT, _everywhere(held["text"][0])), []
    words, characters = held.select(
        (pl.col("text").str.count_matches(r"\S+") + pl.col("text").str.count_matches(IDEOGRAPHS) / 2).mean(),
        characters=pl.col("text").str.len_chars().mean(),
    ).row(0)
    another, long = distinct > max(FEW, 0.9 * present), words > LONG_WORDS or characters > LONG_CHARACTERS
    if (another and words > NAME_WORDS) or (long and distinct > 0.2 * present):
        if says_something(held["text"].to_list(), short=not long):
            return Column(name, TEXT), []
        another = another or long
    if another:
        why = said("an id ({values:,} different values in {rows:,} rows)", values=distinct, rows=present)
        return Column(name, LEFT_OUT, why), []
    return Column(name, CATEGORY, values=_sorted(held["text"])), []


def _typed(name: str, held: pl.DataFrame) -> tuple[Column, list[str]] | None:
    """The column as numbers or dates, where that is what most of its texts are."""
    import polars as pl

    held = held.filter(~pl.col("text").str.to_lowercase().is_in(NUMBER_MARKS))
    rows, texts = int(held["rows"].sum()), held["text"]
    if not rows:
        return None
    format, read = number_text.find_format(held)
    order, dated, rival = dates.find_format(held)
    if rows - dated < MOSTLY * rows and held.height > 1 and (dated == rows or read < dated):
        return _dated(name, order, rival)
    if rows - read < MOSTLY * rows:
        return _numbered(name, format, texts)
    return None


def _numbered(name: str, format: str, texts: pl.Series) -> tuple[Column, list[str]]:
    """A column of numbers, with an example of how they are written where that is not plain."""
    import polars as pl

    numbers = number_text.read_numbers(texts, format)
    odd = texts.filter(texts.cast(pl.Float64, strict=False).is_null() & numbers.is_not_null())
    if format == number_text.PLAIN and odd.is_empty():
        return Column(name, NUMBER), []
    example = max((odd if len(odd) else texts.filter(numbers.is_not_null())).head(100).to_list(), key=len)
    what = said("{text!r} is read as the number {number:.12g}", text=example, number=_value(example, format))
    comma = number_text.read_numbers(texts, COMMA)
    if format == "1,234.5" and comma.null_count() == numbers.null_count() and not comma.equals(numbers):
        what = said(
            "{reading}, for all its commas stand before three digits; if it is {other:.12g}, say --types {fix}",
            reading=what,
            other=_value(example, COMMA),
            fix=f"{name}=number:{COMMA}",
        )
    return Column(name, NUMBER, format=format), [of_column(name, what)]


def _value(text: str, format: str) -> float:
    import polars as pl

    return number_text.read_numbers(pl.Series([text]), format)[0]


def _dated(name: str, format: str, rival: str | None) -> tuple[Column, list[str]]:
    """A column of dates, with what was decided about their order."""
    what = said("dates are read as {format}", format=format)
    if rival is not None:
        what = said(
            "{reading}, though {rival} would read them too; if that is meant, say --types {column}=date:{rival}",
            reading=what,
            rival=rival,
            column=name,
        )
    return Column(name, DATE, format=format), [] if format == dates.ISO and rival is None else [of_column(name, what)]


def _as_wanted(name: str, values: pl.Series, missing: Collection[str], wanted: str) -> tuple[Column, list[str]]:
    match wanted.partition(":")[0]:
        case "id":
            return Column(name, LEFT_OUT, said("an id (as you say)")), []
        case "text":
            return Column(name, TEXT), []
        case "category":
            held = counted(values, missing)
            if held.is_empty():
                raise AurifyError(f"column {name!r} is empty; it cannot be a category")
            return Column(name, CATEGORY, values=_sorted(held["text"])), []
        case "date":
            return _as_dates(name, values, missing, wanted.partition(":")[2])
        case _:
            return _as_numbers(name, values, missing, wanted.partition(":")[2])


def _as_numbers(name: str, values: pl.Series, missing: Collection[str], given: str) -> tuple[Column, list[str]]:
    import polars as pl

    if given and given not in number_text.FORMATS:
        known = "; ".join(number_text.FORMATS)
        raise AurifyError(f"{name}=number:{given} is no known way of writing a number; known: {known}")
    if values.dtype.is_numeric():
        return Column(name, NUMBER, format=given), []
    if values.dtype.is_temporal():
        raise AurifyError(
            f"column {name!r} holds dates or times; leave it to be read as such, or say --types {name}=date"
        )
    held = counted(values, missing).filter(~pl.col("text").str.to_lowercase().is_in(NUMBER_MARKS))
    format = given or number_text.find_format(held)[0]
    if number_text.read_numbers(held["text"], format).null_count() == held.height:
        raise AurifyError(
            f"column {name!r} holds no number ({listing(held['text'].head(3))}); say --types {name}=category"
        )
    column, noticed = _numbered(name, format, held["text"])
    return column, [] if given else noticed


def _as_dates(name: str, values: pl.Series, missing: Collection[str], format: str) -> tuple[Column, list[str]]:
    import polars as pl

    if values.dtype in (pl.Date, pl.Datetime):
        return Column(name, DATE, format=dates.ISO), []
    plain = without_marks(values, missing) if values.dtype.is_numeric() else values
    held = counted(plain, missing).filter(~pl.col("text").str.to_lowercase().is_in(NUMBER_MARKS))
    if format and format not in dates.FORMATS:
        raise AurifyError(f"{name}=date:{format} is no known order of a date; known: {'; '.join(dates.FORMATS)}")
    found, read, rival = dates.find_format(held)
    if format:
        found, rival = format, None
    elif not read and len(held):
        numbers = number_text.read_numbers(held["text"], "")
        middle = numbers.abs().fill_null(0.0).to_numpy()
        large = float(np.median(middle)) >= dates.MILLISECONDS_FROM
        found = dates.MILLISECONDS if large else dates.SECONDS
    if dates.read_dates(held["text"], found).null_count() == len(held):
        raise AurifyError(f"column {name!r} holds no date that can be read ({listing(held['text'].head(3))})")
    return _dated(name, found, rival)


def _sorted(texts: pl.Series) -> tuple[str, ...]:
    """In the order of their numbers where all are numbers, else of their letters."""
    import polars as pl

    numbers = texts.cast(pl.Float64, strict=False)
    frame = pl.DataFrame({"number": None if numbers.null_count() else numbers, "text": texts})
    return tuple(frame.sort("number", "text")["text"].to_list())
