"""The numbers behind a finding, as a table that people read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aurify.core.words import Said, listed, said
from aurify.measure.names import metric_name
from aurify.report.section import Rows
from aurify.report.values import amount, share, shown

LABELS = {
    "alone": said("of the column alone"),
    "area": said("area under the ROC curve"),
    "by_chance": said("expected by chance"),
    "chance": said("by chance"),
    "classes": said("classes"),
    "column": said("column"),
    "columns": said("columns"),
    "groups": said("groups"),
    "high": said("high"),
    "largest": said("largest"),
    "limit": said("limit"),
    "looked_at": said("rows looked at"),
    "low": said("low"),
    "missing": said("missing"),
    "other_columns": said("of the other columns"),
    "reference": said("to compare with"),
    "rows": said("rows"),
    "share": said("share"),
    "target": said("target"),
    "values": said("values"),
}

MOST = 12
"""Things of one list that are told; the others are counted."""


def table_of(evidence: Mapping[str, Any]) -> Rows:
    """One row for each number, those within another under both names."""
    return Rows(header=[said("what"), said("value")], rows=list(_rows(evidence, "")), numbers=False)


def _rows(evidence: Mapping[str, Any], within: str) -> list[list[str]]:
    rows: list[list[str]] = []
    for key, value in evidence.items():
        label = LABELS.get(key) or metric_name(shown(key))
        name = said("{whole}, {part}", whole=within, part=label) if within else label
        rows += _rows(value, name) if isinstance(value, Mapping) else [[name, _told(key, value)]]
    return rows


def _told(key: str, value: Any) -> str:
    """A value as it is read: shares in percent, lists by their first things."""
    if isinstance(value, Said):
        return value
    if isinstance(value, (list, tuple)):
        return _list(key, value)
    if value is None:
        return "–"
    if isinstance(value, bool):
        return said("yes") if value else said("no")
    if isinstance(value, (int, float)):
        return share(value) if key.rpartition("_")[2] == "share" and 0 <= value <= 1 else amount(value)
    return str(value) if isinstance(value, str) else ""


def _list(key: str, values: Sequence[Any]) -> str:
    told = listed([_told(key, value) for value in values[:MOST]], ",")
    more = len(values) - MOST
    return said("{names} and {count:,} more", names=told, count=more) if more > 0 else told
