"""How a row of the data is called: by its number in the file that it came from, an image by its own file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurify.core.words import said
from aurify.data.store import Store
from aurify.measure.pieces import visible
from aurify.report.values import shown

LONGEST = 60
"""Letters of a file's name; of longer ones the last are told."""


def placed(store: Store, found: dict[str, Any], names: Sequence[str | None] | None = None) -> dict[str, Any]:
    """What is known of a ``row`` (its id), with its ``place`` in the data or, ``in_test_file``, in the test file.

    ``names`` are what rows are called, by id, where they have names of their own.
    """
    row = found["row"]
    beside = bool(store.test[row])
    # a row id goes on counting where the data end and the test file begins
    place = {"in_test_file": beside, "place": int((store.test[:row] == beside).sum())}
    name = names[row] if names is not None and row < len(names) else None
    return {**found, **place, **({"name": name} if name else {})}


def row_name(found: Mapping[str, Any]) -> str:
    if "name" in found:
        name = visible(found["name"])
        return shown(name if len(name) <= LONGEST else f"…{name[-LONGEST:]}")
    if found["in_test_file"]:
        return said("Row {row} of the test file", row=f"{found['place']:,}")
    return said("Row {row}", row=f"{found['place']:,}")
