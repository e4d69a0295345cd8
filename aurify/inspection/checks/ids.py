"""Columns that name rows: they tell nothing of new rows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import numpy as np

from aurify.core.errors import listing
from aurify.core.words import said
from aurify.data.columns import CATEGORY, FEW, NAMES_ROWS, NUMBER
from aurify.data.findings import NOTE, Finding
from aurify.inspection.cells import holds_texts, own_values, texts_of, watched
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.leaving import left_for, say_left

HASH = r"^(?:[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-f]{16,128}|[0-9A-F]{16,128})$"
"""A UUID, or a number in hexadecimal digits as long as a hash is."""

MOSTLY = 0.95


class Ids(Check):
    """Ids that were left out, and columns that are kept though they name rows, or what rows belong to."""

    instead: ClassVar[tuple[str, ...]] = (
        "column {column!r} holds another whole number in each row; if it only names rows, say --types {column}=id",
    )

    def look(self, seen: Inspected) -> Iterable[Finding]:
        yield from say_left(self, left_for(seen, "an id"), said("for they are ids"))
        numbered = [
            c.name for c in seen.schema.numbers if c.name not in seen.hidden and _differs_everywhere(seen, c.name)
        ]
        if numbered:
            what = said("another whole number in each row: {names} may only name the rows", names=listing(numbered))
            fix = said("if so, say --types '{column}=id'", column=numbered[0])
            yield self.found(NOTE, what, fix=fix, columns=numbered)
        hashed = [c.name for c in watched(seen) if c.kind == CATEGORY and _hashed(seen, c.name)]
        named = [c.name for c in watched(seen) if c.kind == NUMBER and c.name not in numbered and _names(seen, c.name)]
        if hashed or named:
            several = [*hashed, *named]
            what = said("{names} looks like the id of what several rows are about", names=listing(several))
            fix = said(
                "keep its rows together with --split 'group:{column}', or leave it out with --drop '{column}'",
                column=several[0],
            )
            yield self.found(NOTE, what, fix=fix, columns=several)


def _differs_everywhere(seen: Inspected, name: str) -> bool:
    """Whether an integer column without an id's name has no value twice."""
    values = seen.frame[name]
    if not values.dtype.is_integer():
        return False
    present = values.drop_nulls()
    return present.len() > FEW and present.n_unique() == present.len()


def _hashed(seen: Inspected, name: str) -> bool:
    if not holds_texts(seen, name):
        return False
    held = texts_of(seen, name)
    return held.height > FEW and int(held["text"].str.contains(HASH).sum()) > MOSTLY * held.height


def _names(seen: Inspected, name: str) -> bool:
    """Whether a column of whole numbers is called an id and has many values that come again."""
    values = own_values(seen, name)
    if values is None or not NAMES_ROWS.search(name):
        return False
    present = values[~np.isnan(values)]
    return len(np.unique(present)) > FEW and bool((present == np.floor(present)).all())
