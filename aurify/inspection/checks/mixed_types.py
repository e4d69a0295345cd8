"""Columns in which several kinds of values are mixed: units, orders of dates, numbers beside dates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from aurify.core.words import Said, said
from aurify.data import dates, number_text
from aurify.data.columns import DATE, NUMBER, Column
from aurify.data.findings import WARNING, Finding
from aurify.inspection.cells import holds_texts, rows_with, texts_of, told, watched, without_missing
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.units import NUMBER as LEADING
from aurify.inspection.units import with_signs, with_units

if TYPE_CHECKING:
    import polars as pl

MOST = 0.8
"""Share of cells that are numbers, or dates, from which on a column is taken to hold such."""

LEAST_DATED, LEAST_DIFFERENT = 0.3, 10
BOTH = 0.02
"""Share of dates, and of numbers, of a column that holds both."""


class MixedTypes(Check):
    """Units in cells, two orders of dates in one column, numbers beside dates."""

    instead: ClassVar[tuple[str, ...]] = (
        "no number in {texts}; taken as missing",
        "no date written as {format} in {texts}; taken as missing",
    )

    def look(self, seen: Inspected) -> Iterable[Finding]:
        for column in watched(seen):
            if not holds_texts(seen, column.name):
                continue
            seen.check()
            held = without_missing(seen, texts_of(seen, column.name), numbers=True)
            if not held.height:
                continue
            for find in (_units, _signs, _orders, _beside):
                found = find(column, held)
                if found is not None:
                    yield self._tell(seen, column, *found)
                    break

    def _tell(self, seen: Inspected, column: Column, what: Said, fix: Said, odd: pl.DataFrame) -> Finding:
        rows = rows_with(seen, column.name, odd["text"].to_list())
        evidence: dict[str, Any] = {
            "texts": dict(odd.sort("rows", "text", descending=[True, False]).head(20)["text", "rows"].iter_rows())
        }
        return self.found(
            WARNING, what, fix=fix, columns=[column.name], rows=rows, weight=len(rows), evidence=evidence
        )  # fmt: skip


Found = tuple[Said, Said, "pl.DataFrame"]


def _units(column: Column, held: pl.DataFrame) -> Found | None:
    """Numbers with units in a column that is mostly numbers; where these are read, only those that are lost."""
    import polars as pl

    parted = with_units(held)
    if column.kind == NUMBER:
        lost = number_text.read_numbers(held["text"], column.format).is_null()
        parted = parted.with_columns(unit=pl.when(pl.Series(lost)).then(pl.col("unit")).otherwise(pl.lit("")))
    united = parted.filter(pl.col("unit").is_not_null())
    odd = united.filter(pl.col("unit") != "")
    total = int(held["rows"].sum())
    if column.kind == DATE or not odd.height or united["rows"].sum() < MOST * total:
        return None
    if column.kind != NUMBER and odd["text"].str.extract(LEADING, 1).n_unique() < LEAST_DIFFERENT:
        return None
    units = united.group_by("unit").agg(pl.col("rows").sum(), pl.col("text").sort_by("rows", "text").last())
    fix = said("write all of them in one unit, as numbers alone")
    if units.height > 1:
        what = said("column {column!r} mixes units: {texts}", column=column.name, texts=told(units, 4))
    else:
        what = said(
            "column {column!r} has its unit in every cell ({texts}): no number is read",
            column=column.name,
            texts=told(odd, 2),
        )
    return what, fix, odd


def _signs(column: Column, held: pl.DataFrame) -> Found | None:
    """Currencies or percent signs, which reading leaves out of numbers, where not all cells mean the same by them."""
    import polars as pl

    if column.kind != NUMBER:
        return None
    signs = with_signs(held).group_by("sign").agg(pl.col("rows").sum(), pl.col("text").sort_by("rows", "text").last())
    named = set(signs["sign"].to_list()) - {""}
    plain = signs.filter(pl.col("sign") == "")
    if len(named) < 2 and not ("%" in named and plain.height):
        return None
    what = said("column {column!r} mixes units: {texts}", column=column.name, texts=told(signs, 4))
    odd = with_signs(held).filter(pl.col("sign") != signs.sort("rows", "sign")["sign"][-1])
    return what, said("write all of them in one unit, as numbers alone"), odd


def _orders(column: Column, held: pl.DataFrame) -> Found | None:
    """Dates in two orders: those of the second are lost, or worse, read as other days."""

    if column.kind == NUMBER:
        return None
    total = int(held["rows"].sum())
    first, read, _ = dates.find_format(held)
    if column.kind == DATE:
        first = column.format
    days = dates.read_dates(held["text"], first)
    left = held.filter(days.is_null())
    if read < LEAST_DATED * total or not left.height or held.height < LEAST_DIFFERENT:
        return None
    second, more, _ = dates.find_format(left)
    if not more or (column.kind != DATE and (more < 2 or read + more < MOST * total)):
        return None
    odd = left.filter(dates.read_dates(left["text"], second).is_not_null())
    example = held.filter(days.is_not_null()).sort("rows", "text")["text"][-1]
    what = said(
        "column {column!r} has dates in two orders: {one!r} ({rows:,} rows) is {first}, {other!r} ({more:,}) {second}",
        column=column.name,
        one=example,
        rows=int(held.filter(days.is_not_null())["rows"].sum()),
        first=first,
        other=odd.sort("rows", "text")["text"][-1],
        more=more,
        second=second,
    )
    return what, said("write all dates as 2024-12-31"), odd


def _beside(column: Column, held: pl.DataFrame) -> Found | None:
    """Numbers beside dates."""
    import polars as pl

    order, dated, _ = dates.find_format(held)
    day = dates.read_dates(held["text"], column.format if column.kind == DATE else order).is_not_null()
    number = number_text.read_numbers(held["text"], column.format if column.kind == NUMBER else "").is_not_null()
    if column.kind == NUMBER:
        day &= ~number
    parted = held.with_columns(day=day, number=number & ~day)
    days, numbers = (int(parted.filter(pl.col(name))["rows"].sum()) for name in ("day", "number"))
    least = 1 if column.kind in (DATE, NUMBER) else max(2, BOTH * int(held["rows"].sum()))
    if not dated or min(days, numbers) < least or held.height < LEAST_DIFFERENT:
        return None
    fewer = "day" if days < numbers else "number"
    what = said(
        "column {column!r} mixes {days:,} dates and {numbers:,} numbers: {one}; {other}",
        column=column.name,
        days=days,
        numbers=numbers,
        one=told(parted.filter(pl.col("day")), 2),
        other=told(parted.filter(pl.col("number")), 2),
    )
    return what, said("make two columns of them, or mend the cells that are wrong"), parted.filter(pl.col(fewer))
