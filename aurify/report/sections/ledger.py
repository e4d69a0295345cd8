"""What each ingredient was worth: gains with their intervals and verdicts, what they cost, and a simpler recipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from aurify.core.words import Said, said
from aurify.report.ledger import DESIGNS, caps, estimand, measured, of_agents, power, reference, rows_of, summary
from aurify.report.ledger_agents import preliminary
from aurify.report.ledger_figures import cost, forest, waterfall
from aurify.report.ledger_rows import effects_table, lost, other_metrics, simplified
from aurify.report.section import Block, DataSection, Folded, Inspection, Paragraph

FORESTS = ("leave_one_out", "add_one", "family", "interaction")
"""Designs whose rows stand side by side; the first that has any is shown against its cost too."""


class Worth(DataSection):
    """Forests of gains, the waterfall from bare to the recipe, gain against cost, and the rows themselves."""

    order = 350
    examples: ClassVar[frozenset[str]] = frozenset({"rows", "episodes"})

    @property
    def title(self) -> Said:
        return said("What each ingredient was worth")

    def show(self, record: Inspection, measured: Any) -> Sequence[Block]:
        ledger = record.ledger
        if ledger is None:
            return []
        few = preliminary(ledger)
        blocks: list[Block] = [] if few is None else [Paragraph(few, strong=True)]
        blocks.append(Paragraph(summary(ledger), strong=True))
        blocks += [Paragraph(text) for text in (reference(ledger), estimand(ledger), caps(ledger), power(ledger))]
        blocks += simplified(ledger)
        for design in DESIGNS:
            blocks += _design(record, design)
        return [*blocks, *other_metrics(ledger), *lost(ledger)]


def _design(record: Inspection, design: str) -> list[Block]:
    """A design's figures, and every row of it."""
    ledger = record.ledger or {}
    effects = rows_of(ledger, design)
    if not effects:
        return []
    table, drawn = effects_table(DESIGNS[design], effects, agents=of_agents(ledger)), measured(effects)
    if design == "sweep":  # drawn by setting in a chapter of its own
        return [Folded(DESIGNS[design], [table])]
    if not drawn:
        return [table]
    if design == "cumulative":
        return [*waterfall(record, drawn), table]
    first = next(name for name in FORESTS if measured(rows_of(ledger, name)))
    return [forest(record, design, drawn), *(cost(record, drawn) if design == first else []), table]
