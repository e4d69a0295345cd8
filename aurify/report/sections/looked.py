"""What an inspection looked at: the source, its rows and columns, the target, and what stayed sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurify.core.words import Said, said
from aurify.data.store import Store
from aurify.report.section import Block, DataSection, Inspection, Paragraph


class Looked(DataSection):
    """Of a run other sections tell it, so it shows nothing there."""

    order = 120

    @property
    def title(self) -> Said:
        return said("What was looked at")

    def show(self, record: Inspection, measured: Any) -> Sequence[Block]:
        return [] if measured is None else [Paragraph(_source(record, measured)), Paragraph(_parts(record, measured))]


def measure_looked(store: Store, rows: int, tested: int) -> dict[str, Any]:
    """How many rows were looked at with their targets, and how many ``tested`` ones without."""
    return {"rows": len(store), "columns": len(store.schema.columns), "looked_at": rows, "tested": tested}


def _source(record: Inspection, measured: Mapping[str, Any]) -> Said:
    path = record.source.path
    return said(
        "{source} has {rows:,} rows and {columns:,} columns. {target}",
        source=said("The data frame that was passed") if path is None else path,
        rows=measured["rows"],
        columns=measured["columns"],
        target=said("No column was named that shall be predicted, so nothing was looked for that needs one.")
        if record.source.target is None
        else said("The column {target!r} shall be predicted.", target=record.source.target),
    )


def _parts(record: Inspection, measured: Mapping[str, Any]) -> Said:
    if not measured["tested"]:
        return said("{rows:,} rows were looked at.", rows=measured["looked_at"])
    return said(
        "{rows:,} rows were looked at as a fit would learn from them. The {tested:,} rows of the test part stayed"
        " sealed: their columns were compared, their targets were not looked at.",
        rows=measured["looked_at"],
        tested=measured["tested"],
    )
