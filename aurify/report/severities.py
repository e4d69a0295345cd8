"""Words for how grave findings are, and for how many there are of each kind."""

from __future__ import annotations

from aurify.core.words import listed, said
from aurify.data.findings import NOTE, SEVERE, SEVERITIES, WARNING, Findings

WORDS = {SEVERE: said("severe"), WARNING: said("warning"), NOTE: said("note")}

ONE = {SEVERE: said("1 severe finding"), WARNING: said("1 warning"), NOTE: said("1 note")}


def counted(found: Findings) -> str:
    """``1 severe finding, 3 warnings and 12 notes``; nothing of what there is none of."""
    counts = [(severity, len(found.where(severity=severity))) for severity in SEVERITIES]
    return listed([count_of(severity, count) for severity, count in counts if count])


def count_of(severity: str, count: int) -> str:
    """So many findings of one severity."""
    if count == 1:
        return ONE[severity]
    if severity == SEVERE:
        return said("{count:,} severe findings", count=count)
    return said("{count:,} warnings", count=count) if severity == WARNING else said("{count:,} notes", count=count)
