"""The most wrong and the surest images of the test part, with the places that their answers hang on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aurify.core.parts import Trait
from aurify.core.words import Said, said
from aurify.data.image_form import IMAGES
from aurify.measure.intervals import row_weights
from aurify.measure.pace import affordable
from aurify.measure.patches import MOST_PATCHES, covered_patches
from aurify.measure.places import rows_of
from aurify.measure.verdict import number
from aurify.report.chosen_rows import most_wrong, surest
from aurify.report.numbered import placed, row_name
from aurify.report.overlaid import how, legend, overlaid, pictures
from aurify.report.section import Block, Card, Folded, Paragraph, Record, Section, Tested
from aurify.report.values import share, shown

MOST_IMAGES, MOST_OPEN = 6, 3
"""Of the most wrong and of the surest ones each, and how many of these are not folded away."""

SECONDS = 4.0
"""That asking about all of them may take, where the model is a slow one."""


class ExplainedImages(Section):
    """Heat over images: of Grad-CAM where a network has convolutions, of covered patches always."""

    order = 720

    @property
    def title(self) -> Said:
        return said("What it looks at")

    def measure(self, tested: Tested) -> Any:
        ours, column = tested.model, tested.store.schema.image
        if ours.several or column is None or column.name in tested.recipe.hidden:
            return None
        if Trait.IMAGES not in tested.recipe.task.traits or (ours.classes and ours.probabilities is None):
            return None
        counted = row_weights(ours) > 0
        wrong = most_wrong(ours, counted, MOST_IMAGES)
        sure = surest(ours, np.flatnonzero(counted), MOST_IMAGES)
        asks = affordable(tested.respond, tested.inputs, max(1, len(wrong) + len(sure)) * MOST_PATCHES, SECONDS)
        most = max(1, asks // max(1, len(wrong) + len(sure)))
        found = {name: _explained(tested, rows, most) for name, rows in (("wrong", wrong), ("sure", sure))}
        return {**found, "classes": ours.classes is not None}

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        if measured is None or not (measured["wrong"] or measured["sure"]):
            return []
        classes = measured["classes"]
        looks = any(each["look"] is not None for each in [*measured["wrong"], *measured["sure"]])
        blocks: list[Block] = [*map(Paragraph, how(classes, looks)), legend(classes)]
        sure = said("Sure") if classes else said("At an end")
        more = said("More of its surest answers") if classes else said("More of its lowest and highest answers")
        for word, title, found in (
            (said("Wrong"), said("More of its most wrong answers"), measured["wrong"]),
            (sure, more, measured["sure"]),
        ):
            cards = [Card("plain", word, _happened(each), pictures(each, of_classes=classes)) for each in found]
            blocks += cards[:MOST_OPEN]
            blocks += [Folded(title, cards[MOST_OPEN:])] if cards[MOST_OPEN:] else []
        return blocks


def _explained(tested: Tested, rows: Sequence[int], most: int) -> list[dict[str, Any]]:
    """The images at these positions with what the answers to them hang on."""
    ours, images = tested.model, tested.asked.inputs[IMAGES]
    at = np.array(rows, dtype=np.int64)
    found = covered_patches(ours, tested.respond, tested.inputs, rows, most=most, check=tested.check)
    looks = None
    if len(rows):
        of = None if ours.classes is None else ours.prediction[at]
        looks = tested.looks(rows_of(tested.inputs, at), at, of)
    told = []
    for position, each, look in zip(rows, found, looks or [None] * len(rows), strict=True):
        made = overlaid(images[each["row"]], each, look, of_classes=ours.classes is not None)
        told.append({**placed(tested.store, made), "target_chance": _chance(tested, position)})
    return told


def _chance(tested: Tested, at: int) -> float | None:
    """The probability that the true class was given."""
    ours = tested.model
    if ours.probabilities is None or ours.target is None:
        return None
    return float(ours.probabilities[at, ours.target[at]])


def _happened(found: Mapping[str, Any]) -> Said:
    row = row_name(found)
    if not isinstance(found["prediction"], str):
        told, true = number(found["prediction"]), number(found["target"])
        return said("{row}: answered {prediction}, true is {target}", row=row, prediction=told, target=true)
    told, chance = shown(found["prediction"]), share(found["answer"])
    if found["prediction"] == found["target"]:
        return said("{row}: answered {prediction} ({chance}), which is right", row=row, prediction=told, chance=chance)
    return said(
        "{row}: answered {prediction} ({chance}), true is {target} ({given})",
        row=row,
        prediction=told,
        chance=chance,
        target=shown(found["target"]),
        given=share(found["target_chance"] or 0.0),
    )
