"""What was found in the data before anything was trained, the worst first."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any, ClassVar

from aurify.core.words import Said, listed, said
from aurify.data.findings import NOTE, SEVERE, Finding
from aurify.report.evidence import table_of
from aurify.report.exhibits import blocks_of
from aurify.report.section import Block, Card, DataSection, Folded, Inspection, Paragraph
from aurify.report.severities import WORDS, count_of, counted
from aurify.report.values import shown

MOST_OPEN = 12
"""Findings that are not folded away."""

MOST_ROWS = 10
"""Row numbers that are told; the others are counted."""

MOST_COLUMNS = 3
"""Columns that a finding's own text names."""


class Findings(DataSection):
    """Findings with their evidence, the rows they are about and what to do."""

    order = 150
    examples: ClassVar[frozenset[str]] = frozenset({"rows", "episodes"})

    @property
    def title(self) -> Said:
        return said("What was found in the data")

    def show(self, record: Inspection, measured: Any) -> Sequence[Block]:
        if not record.findings:
            return [Paragraph(said("Nothing was found that would spoil a result."))]
        cards = [_card(record, finding, at) for at, finding in enumerate(record.findings, 1)]
        grave = [card for card in cards if card.grade != NOTE]
        notes = cards[len(grave) :]
        found = said("{counts}, the worst first. {how}", counts=counted(record.findings), how=_how())
        more = said("{count:,} more, less grave than those above", count=len(grave) - MOST_OPEN)
        return [
            Paragraph(found),
            *grave[:MOST_OPEN],
            *([Folded(more, grave[MOST_OPEN:])] if grave[MOST_OPEN:] else []),
            *([Folded(count_of(NOTE, len(notes)), notes)] if notes else []),
        ]


def _how() -> Said:
    return said(
        "Severe is what makes scores worthless, a warning what costs quality or trust, a note is good to know. Targets"
        " of the test part were not looked at."
    )


def _card(record: Inspection, finding: Finding, at: int) -> Card:
    accepted = finding.severity == SEVERE and finding.accepted(record.source.accept)
    blocks: list[Block] = [Paragraph(said("What to do: {fix}", fix=finding.fix))] if finding.fix else []
    if accepted:
        blocks.append(Paragraph(said("It was accepted, so the scores are better than they will be on new data.")))
    elif finding.severity == SEVERE:
        option = f"--accept {shlex.quote(finding.key)}"
        blocks.append(Paragraph(said("To go on all the same: {option}", option=option)))
    if finding.rows:
        blocks.append(Paragraph(_rows(finding)))
    for number, exhibit in enumerate(finding.exhibits, 1):
        blocks += blocks_of(record, exhibit, f"finding_{at}_{number}")
    if len(finding.columns) > MOST_COLUMNS:
        names = listed([shown(name) for name in finding.columns], ",")
        blocks.append(Folded(said("All {count:,} columns", count=len(finding.columns)), [Paragraph(names)]))
    if finding.evidence:
        blocks.append(Folded(said("The numbers behind it"), [table_of(finding.evidence)]))
    word = said("severe, accepted") if accepted else WORDS[finding.severity]
    return Card(grade=finding.severity, word=word, title=finding.text, blocks=blocks)


def _rows(finding: Finding) -> Said:
    first = listed([f"{row:,}" for row in finding.rows[:MOST_ROWS]], ",")
    more = max(finding.count, len(finding.rows)) - MOST_ROWS
    if more > 0:
        return said("Rows, counted from 0: {first} and {count:,} more.", first=first, count=more)
    return said("Rows, counted from 0: {first}.", first=first)
