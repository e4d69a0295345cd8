"""Columns of numbers with words among them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from aurify.core.words import said
from aurify.data import dates, number_text
from aurify.data.columns import CATEGORY, DATE, MOSTLY, NUMBER, Column
from aurify.data.findings import WARNING, Finding
from aurify.inspection.cells import holds_texts, rows_with, texts_of, told, watched, without_missing
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.units import with_units

if TYPE_CHECKING:
    import polars as pl

LEAST = 0.3
"""Share of rows with numbers from which on words among them are looked at."""

FEWEST_NUMBERS, MOST_WORDS = 10, 20
"""Different numbers and different words of a column that is numbers with a few words in it."""


class NumbersAsText(Check):
    """Words in number columns, whose cells are lost, and number columns that words make categories."""

    instead: ClassVar[tuple[str, ...]] = ("no number in {texts}; taken as missing",)

    def look(self, seen: Inspected) -> Iterable[Finding]:
        for column in watched(seen):
            if column.kind == DATE or not holds_texts(seen, column.name):
                continue
            seen.check()
            held = without_missing(seen, texts_of(seen, column.name), numbers=True)
            found = self._lost(seen, column, held) if column.kind == NUMBER else self._worded(seen, column, held)
            yield from found

    def _lost(self, seen: Inspected, column: Column, held: pl.DataFrame) -> Iterable[Finding]:
        """Words whose cells became missing; numbers with units and dates are another check's."""
        lost = unread(column, held)
        if not lost.height:
            return
        rows = rows_with(seen, column.name, lost["text"].to_list())
        what = said(
            "column {column!r} holds numbers, and {texts}: {cells:,} cell(s) are taken as missing",
            column=column.name,
            texts=told(lost),
            cells=len(rows),
        )
        fix = said("mend them in the file, or give what means a missing value as --missing TEXT")
        texts = dict(lost.sort("rows", "text", descending=[True, False]).head(20).iter_rows())
        yield self.found(
            WARNING, what, fix=fix, columns=[column.name], rows=rows, weight=len(rows), evidence={"texts": texts}
        )

    def _worded(self, seen: Inspected, column: Column, held: pl.DataFrame) -> Iterable[Finding]:
        format, read = number_text.find_format(held)
        total = int(held["rows"].sum())
        if not LEAST * total <= read <= (1 - MOSTLY) * total:
            return
        numbers = number_text.read_numbers(held["text"], format)
        words = held.filter(numbers.is_null())
        if numbers.n_unique() <= FEWEST_NUMBERS or words.height > MOST_WORDS:
            return
        if words["text"].str.contains(r"\d").any():  # codes such as 12B, or ranges
            return
        rows = rows_with(seen, column.name, words["text"].to_list())
        taken = said("categories") if column.kind == CATEGORY else said("an id")
        what = said(
            "column {column!r} is numbers in {share:.0%} of its cells, {texts} in the others, and taken as {taken}",
            column=column.name,
            share=read / total,
            texts=told(words),
            taken=taken,
        )
        fix = said("if the words mean a missing value, say --types '{column}=number'", column=column.name)
        mend = {"source": {"types": [f"{column.name}=number"]}} if column.kind != CATEGORY else {}
        yield self.found(WARNING, what, fix=fix, columns=[column.name], rows=rows, weight=len(rows), mend=mend)


def unread(column: Column, held: pl.DataFrame) -> pl.DataFrame:
    """The texts of a number column that no number was read from, without numbers that have units and without dates."""
    numbers = number_text.read_numbers(held["text"], column.format)
    lost = held.filter(numbers.is_null())
    if not lost.height:
        return lost
    lost = lost.filter(with_units(lost)["unit"].is_null())
    order, _, _ = dates.find_format(lost)
    return lost.filter(dates.read_dates(lost["text"], order).is_null()) if lost.height else lost
