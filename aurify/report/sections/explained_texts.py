"""The most wrong and the surest texts of the test part, with the words that their answers hang on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import Said, said
from aurify.measure.intervals import row_weights
from aurify.measure.occlusion import MOST_PIECES, occlusion
from aurify.measure.pace import affordable
from aurify.measure.places import texts_of
from aurify.measure.verdict import number
from aurify.report.chosen_rows import most_wrong, surest
from aurify.report.marked import how, legend, marked
from aurify.report.numbered import placed, row_name
from aurify.report.section import Block, Card, Folded, Paragraph, Record, Section, Tested
from aurify.report.values import share

MOST_TEXTS, MOST_OPEN = 4, 2
"""Of the most wrong and of the surest ones each, and how many of these are not folded away."""

SECONDS = 4.0
"""That asking about all of them may take, where the model is a slow one."""


class ExplainedTexts(Section):
    """Words marked by what the answer would be without them."""

    order = 720

    @property
    def title(self) -> Said:
        return said("Which words it goes by")

    def measure(self, tested: Tested) -> Any:
        ours, hidden = tested.model, tested.recipe.hidden
        if ours.several:  # which of the answers it would be about is not one word's affair
            return None
        columns = [column for column in texts_of(tested.store.schema) if column.name not in hidden]
        if Trait.TEXTS not in tested.recipe.task.traits or not columns or (ours.classes and ours.probabilities is None):
            return None
        counted = (row_weights(ours) > 0) & (tested.inputs["texts"].lengths.sum(axis=1) > 0)
        wrong, sure = most_wrong(ours, counted, MOST_TEXTS), surest(ours, np.flatnonzero(counted), MOST_TEXTS)
        texts = max(1, len(wrong) + len(sure))
        asks = affordable(tested.respond, tested.inputs, texts * (MOST_PIECES + 1), SECONDS)
        found = {
            name: [
                placed(tested.store, each)
                for each in occlusion(
                    ours, tested.respond, tested.inputs, columns, rows, most=asks // texts, check=tested.check
                )
            ]
            for name, rows in (("wrong", wrong), ("sure", sure))
        }
        return {**found, "classes": ours.classes is not None}

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        if measured is None or not (measured["wrong"] or measured["sure"]):
            return []
        classes = measured["classes"]
        blocks: list[Block] = [Paragraph(how(classes)), *legend()]
        sure = said("Sure") if classes else said("At an end")
        more = said("More of its surest answers") if classes else said("More of its lowest and highest answers")
        for word, title, found in (
            (said("Wrong"), said("More of its most wrong answers"), measured["wrong"]),
            (sure, more, measured["sure"]),
        ):
            cards = [Card("plain", word, _happened(each), marked(each, of_classes=classes)) for each in found]
            blocks += cards[:MOST_OPEN]
            blocks += [Folded(title, cards[MOST_OPEN:])] if cards[MOST_OPEN:] else []
        return blocks


def _happened(found: Mapping[str, Any]) -> Said:
    row = row_name(found)
    if isinstance(found["prediction"], str):
        return said(
            "{row}: answered {prediction} ({chance}), true is {target}",
            row=row,
            prediction=found["prediction"],
            chance=share(found["answer"]),
            target=found["target"],
        )
    return said(
        "{row}: answered {prediction}, true is {target}",
        row=row,
        prediction=number(found["prediction"]),
        target=number(found["target"]),
    )
