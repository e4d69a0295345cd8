"""How better settings were found: what was picked and what it scores again, the way there, and the best trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from aurify.core.words import Said, said
from aurify.report.section import Block, DataSection, Inspection, Paragraph, Record
from aurify.report.tuning import corrected, effort, looked, only_compared, picked, sealed, shipped
from aurify.report.tuning_figures import front, progress, rungs
from aurify.report.tuning_rows import best_trials, failures, members


class Search(DataSection):
    """The summary of a search, its figures, the best trials, the ensemble, and what failed."""

    order = 340
    examples: ClassVar[frozenset[str]] = frozenset({"rows", "episodes"})

    @property
    def title(self) -> Said:
        return said("The search for better settings")

    def show(self, record: Inspection, measured: Any) -> Sequence[Block]:
        tuning, trials = record.tuning, record.trials
        if tuning is None or only_compared(tuning):
            return []
        told: list[str] = [corrected(tuning), effort(tuning, trials), shipped(tuning)]
        seen = looked(tuning)
        if not seen and not isinstance(record, Record):
            told.append(sealed(record.folder, tuning))
        return [
            Paragraph(picked(tuning), strong=True),
            *([Paragraph(seen, strong=True)] if seen else []),
            *(Paragraph(text) for text in told if text),
            *progress(record, tuning, trials),
            *best_trials(tuning, trials),
            *members(tuning, trials),
            *front(record, tuning, trials),
            *rungs(record, tuning, trials),
            *failures(trials),
        ]
