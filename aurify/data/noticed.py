"""What is said of values that the schema of a table does not foresee."""

from __future__ import annotations

from collections.abc import Sequence

from aurify.core.errors import listing
from aurify.core.words import Said, said

THE_DATA = said("the data")
"""What rows are called that no file gave a name."""

SHOWN = 3


def of_column(name: str, what: Said) -> Said:
    """Something noticed, with the column it was noticed in."""
    return said("column {column!r}: {what}", column=name, what=what)


def infinite(name: str, count: int) -> Said:
    return of_column(name, said("infinite values taken as missing: {count:,}", count=count))


def no_numbers(name: str, texts: Sequence[str]) -> Said:
    return of_column(name, said("no number in {texts}; taken as missing", texts=listing(texts, SHOWN)))


def no_dates(name: str, format: str, texts: Sequence[str]) -> Said:
    shown = listing(texts, SHOWN)
    return of_column(name, said("no date written as {format} in {texts}; taken as missing", format=format, texts=shown))


def unseen(name: str, texts: Sequence[str]) -> Said:
    return of_column(name, said("{texts} unseen in training; taken as unknown", texts=listing(texts, SHOWN)))


def unknown_columns(table: str, names: Sequence[str]) -> Said:
    return said(
        "{name} has {count} column(s) the model does not know, ignored: {names}",
        name=table,
        count=len(names),
        names=listing(names),
    )
