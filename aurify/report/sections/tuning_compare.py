"""How methods of search compare on this data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from aurify.core.words import Said, said
from aurify.report.section import Block, DataSection, Inspection, Paragraph
from aurify.report.tuning import only_compared, sealed
from aurify.report.tuning_compare import explained, figures, lost, table, took


class Compared(DataSection):
    """The best so far of each method with bands over repeats, and the table with intervals."""

    order = 344
    examples: ClassVar[frozenset[str]] = frozenset({"rows", "episodes"})

    @property
    def title(self) -> Said:
        return said("How methods of search compare")

    def show(self, record: Inspection, measured: Any) -> Sequence[Block]:
        tuning = record.tuning
        if tuning is None or tuning["compare"] is None:
            return []
        told = [
            *lost(tuning),
            explained(tuning),
            took(tuning),
            *([sealed(record.folder, tuning)] if only_compared(tuning) else []),
        ]
        return [*map(Paragraph, told), *figures(record, tuning), table(tuning)]
