"""How a row of the data is called: by its number in the file that it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aurify.core.words import Said, said
from aurify.data.store import Store


def placed(store: Store, found: dict[str, Any]) -> dict[str, Any]:
    """What is known of a ``row`` (its id), with its ``place`` in the data or, ``in_test_file``, in the test file."""
    row = found["row"]
    beside = bool(store.test[row])
    # a row id goes on counting where the data end and the test file begins
    return {**found, "in_test_file": beside, "place": int((store.test[:row] == beside).sum())}


def row_name(found: Mapping[str, Any]) -> Said:
    if found["in_test_file"]:
        return said("Row {row} of the test file", row=f"{found['place']:,}")
    return said("Row {row}", row=f"{found['place']:,}")
