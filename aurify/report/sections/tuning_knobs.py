"""Which settings mattered in a search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from aurify.core.words import Said, said
from aurify.report.section import Block, DataSection, Folded, Inspection, Paragraph
from aurify.report.tuning_space import importance, parallel, picked_word, slices

OPEN = 4
"""Knobs whose figures are not folded away."""


class Knobs(DataSection):
    """Importance of knobs, parallel coordinates, and the score along the most important knobs."""

    order = 342
    examples: ClassVar[frozenset[str]] = frozenset({"rows", "episodes"})

    @property
    def title(self) -> Said:
        return said("Which settings mattered")

    def show(self, record: Inspection, measured: Any) -> Sequence[Block]:
        tuning, trials = record.tuning, record.trials
        if tuning is None:
            return []
        blocks: list[Block] = [*importance(record, tuning), *parallel(record, tuning, trials)]
        along = slices(record, tuning, trials)
        if along:
            blocks += [Paragraph(picked_word()), *along[:OPEN]]
        if along[OPEN:]:
            blocks.append(Folded(said("Other settings: {count:,}", count=len(along) - OPEN), along[OPEN:]))
        return blocks
