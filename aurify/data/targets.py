"""What is to be predicted: a number, or classes in an order that stays."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from aurify.core.errors import AurifyError, listing, suggest
from aurify.data import dates, number_text
from aurify.data.codes import Codebook
from aurify.data.columns import CATEGORY, MOSTLY, NUMBER, Column, without_marks
from aurify.data.texts import NUMBER_MARKS, as_texts, counted

if TYPE_CHECKING:
    import polars as pl

MANY_CLASSES = 20
ORDERS = (("-", "+"), ("normal", "abnormal"), ("inactive", "active"), ("control", "case"), ("legit", "fraud"))
ORDERS += (("no", "yes"), ("false", "true"), ("阴性", "阳性"))
"""Classes of which the second is the one that is looked for, in lower case, where the alphabet may say otherwise."""


def infer_target(name: str, values: pl.Series, kind: str, missing: Collection[str], positive: str | None) -> Column:
    """The target as a number to regress on, or as a category whose values are the classes.

    ``positive`` is the class that comes second of two. Raises AurifyError for a target that cannot be learnt.
    """
    import polars as pl

    if values.dtype.is_nested() or values.dtype.is_temporal() or values.dtype in (pl.Object, pl.Binary):
        raise AurifyError(f"target {name!r} is made of {values.dtype} values; only numbers and classes are predicted")
    if values.dtype.is_numeric():
        column = _of_numbers(name, without_marks(values, missing), kind)
    else:
        column = _of_texts(name, counted(values, missing), kind)
    if positive is None:
        return column
    if len(column.values) != 2:
        what = f"{len(column.values)} classes" if column.values else "a number"
        raise AurifyError(f"--positive {positive!r} is for targets of two classes, and {name!r} is {what}")
    code = Codebook(column.values, ()).code(positive.strip())
    if code < 0:
        raise AurifyError(f"--positive {positive!r} is no class of {name!r}{suggest(positive, column.values)}")
    return Column(name, CATEGORY, values=(column.values[1 - code], column.values[code]))


def _of_numbers(name: str, plain: pl.Series, kind: str) -> Column:
    present = plain.drop_nulls()
    distinct = present.n_unique()
    _require_two(name, distinct, present)
    if kind == "regress" or (kind == "auto" and distinct > MANY_CLASSES):
        return Column(name, NUMBER)
    _require_few(name, distinct, present.len())
    return Column(name, CATEGORY, values=tuple(as_texts(present.unique().sort()).to_list()))


def _of_texts(name: str, held: pl.DataFrame, kind: str) -> Column:
    import polars as pl

    texts, rows = held["text"], int(held["rows"].sum())
    _require_two(name, held.height, texts)
    plain = texts.cast(pl.Float64, strict=False)
    if plain.null_count() == 0 and kind != "regress" and (kind == "classify" or plain.n_unique() <= MANY_CLASSES):
        return _of_numbers(name, without_marks(plain, ()), kind)
    if kind != "classify":
        numeric = held.filter(~pl.col("text").str.to_lowercase().is_in(NUMBER_MARKS))
        format, read = number_text.find_format(numeric)
        left = numeric["rows"].sum() - read
        if left == 0 < read and (kind == "regress" or numeric.height > MANY_CLASSES):
            _require_two(name, number_text.read_numbers(numeric["text"], format).n_unique(), texts)
            return Column(name, NUMBER, format=format)
        if kind == "regress" or (left < MOSTLY * rows and numeric.height > MANY_CLASSES):
            odd = numeric["text"].filter(number_text.read_numbers(numeric["text"], format).is_null())
            fix = "use --set task.kind=classify" if not read else "mend these cells, or name them with --missing"
            raise AurifyError(f"target {name!r} is not a number ({listing(odd, 3)}); {fix}")
        if dates.find_format(held)[1] == rows:
            raise AurifyError(f"target {name!r} is a date ({texts[0]!r}); only numbers and classes are predicted")
    _require_few(name, held.height, rows)
    classes = sorted(texts.to_list())
    lower = tuple(text.lower() for text in classes)
    natural = len(lower) == 2 and lower[::-1] in ORDERS
    return Column(name, CATEGORY, values=tuple(classes[::-1] if natural else classes))


def _require_two(name: str, distinct: int, present: pl.Series) -> None:
    if distinct < 2:
        only = f"only {present[0]!r}" if distinct else "no value"
        raise AurifyError(f"target {name!r} holds {only}; two different values are needed to learn anything")


def _require_few(name: str, distinct: int, rows: int) -> None:
    if distinct > max(MANY_CLASSES, 0.5 * rows):
        raise AurifyError(f"target {name!r} has {distinct:,} different values in {rows:,} rows: too many for classes")
