"""Columns that are left out, told of one by one where they are few and together where they are many."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from aurify.core.errors import listing
from aurify.core.words import Said, said
from aurify.data.columns import LEFT_OUT, Column
from aurify.data.findings import NOTE, Finding
from aurify.inspection.cells import watched
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected

ALONE = 3
"""More columns than this are told of together."""

SHOWN = 100
"""Reasons that the evidence of many columns keeps."""


def left_for(seen: Inspected, *beginnings: str) -> list[Column]:
    """The columns that reading left out for a reason that begins so."""
    return [c for c in watched(seen) if c.kind == LEFT_OUT and c.reason.startswith(beginnings)]


def say_left(check: Check, columns: list[Column], why: Said, fix: str = "") -> Iterable[Finding]:
    """A note for each of the columns, or one for all of them that says ``why`` in a word."""
    if len(columns) <= ALONE:
        for column in columns:
            what = said("column {column!r} is left out: {reason}", column=column.name, reason=column.reason)
            yield check.found(NOTE, what, fix=fix, columns=[column.name])
        return
    names = [column.name for column in columns]
    what = said("{count:,} columns are left out, {why}: {names}", count=len(names), why=why, names=listing(names))
    reasons: dict[str, Any] = {column.name: str(column.reason) for column in columns[:SHOWN]}
    yield check.found(NOTE, what, fix=fix, columns=names, evidence={"reasons": reasons})
