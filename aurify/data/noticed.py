"""What is said of values that the schema of a table does not foresee."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aurify.core.errors import AurifyError, listing
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


def unread_images(name: str, unread: Mapping[int, str], rows: int) -> list[Said]:
    """A line on images that cannot be read, where there are some; raises AurifyError where none can."""
    if not unread:
        return []
    first = next(iter(unread))
    if len(unread) == rows:
        raise AurifyError(f"{name}: none of {rows:,} images can be read; row {first + 1}: {unread[first]}")
    what = said(
        "{name}: {count:,} images cannot be read and are left out, first row {row:,}: {why}",
        name=name,
        count=len(unread),
        row=first + 1,
        why=unread[first],
    )
    return [what]
