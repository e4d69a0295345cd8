"""How often the sealed test part of a run was looked at: each look makes its scores flatter a little more."""

from __future__ import annotations

from collections.abc import Mapping

from aurify.report.section import Record


def own_openings(record: Record) -> list[Mapping[str, str]]:
    """The looks recorded in the run's own folder at the rows that it is scored on, the oldest first."""
    if not record.openings:
        return []
    return [opening for opening in record.openings if opening["part"] == record.openings[-1]["part"]]


def openings_known(record: Record) -> int:
    """All looks at these rows that are known of: those of runs beside this one as they were when it was measured."""
    return max(record.summary["test_openings"], len(own_openings(record)))
