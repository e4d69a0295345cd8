"""What was found in the data before anything was trained, the worst first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aurify.core.words import Said, said
from aurify.report.section import Block, Paragraph, Points, Record, Section


class Findings(Section):
    """Findings with their evidence."""

    order = 150
    of_data = True

    @property
    def title(self) -> Said:
        return said("What was found in the data")

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        if not record.findings:
            return [Paragraph(said("Nothing was found that would spoil a result."))]
        return [Points([finding.text for finding in record.findings])]
