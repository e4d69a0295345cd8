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
from aurify.measure.predictions import Predictions
from aurify.measure.summaries import known_probabilities, known_target
from aurify.measure.verdict import number
from aurify.report.chosen_rows import most_wrong, surest
from aurify.report.numbered import placed, row_name
from aurify.report.overlaid import FAINT, how, legend, overlaid, pictures
from aurify.report.section import Block, Card, Folded, Paragraph, Record, Section, Tested
from aurify.report.values import share, shown

MOST_IMAGES, MOST_OPEN = 6, 3
"""Of the most wrong and of the surest ones each, and how many of these are not folded away."""

WRONG = 0.5
"""How far a label's probability is from the truth where it is called wrong."""

SECONDS = 4.0
"""That asking about all of them may take, where the model is a slow one."""

FAINT_SHARE = 0.02
"""Of the spread of a number that is predicted: effects below it are never shown as strong."""


class ExplainedImages(Section):
    """Heat over images: of Grad-CAM where a network has convolutions, of covered patches always."""

    order = 720

    @property
    def title(self) -> Said:
        return said("What it looks at")

    def measure(self, tested: Tested) -> Any:
        ours, column = tested.model, tested.store.schema.image
        if column is None or column.name in tested.recipe.hidden or Trait.IMAGES not in tested.recipe.task.traits:
            return None
        if ours.classes and ours.probabilities is None:
            return None
        wrong, sure = _labels(ours) if ours.several else _rows(ours)
        count = max(1, len(wrong) + len(sure))
        asks = affordable(tested.respond, tested.inputs, count * MOST_PATCHES, SECONDS)
        most = max(1, asks // count)
        return {
            "wrong": _explained(tested, wrong, most),
            "sure": _explained(tested, sure, most),
            "classes": ours.classes is not None,
        }

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


Asked = list[tuple[int, int]]
"""Positions of tested rows, and the class or label that each is asked about."""


def _rows(ours: Predictions) -> tuple[Asked, Asked]:
    """The most wrong rows and the surest ones, each about what was predicted."""
    counted = row_weights(ours) > 0
    wrong, sure = most_wrong(ours, counted, MOST_IMAGES), surest(ours, np.flatnonzero(counted), MOST_IMAGES)
    codes = np.zeros(len(ours), dtype=np.int64) if ours.classes is None else ours.prediction
    return [(at, int(codes[at])) for at in wrong], [(at, int(codes[at])) for at in sure]


def _labels(ours: Predictions) -> tuple[Asked, Asked]:
    """Of several labels a row: the rows and labels that are furthest off, and for each label the row surest of it."""
    target, chances = known_target(ours), known_probabilities(ours)
    miss = np.where((row_weights(ours) > 0)[:, None], np.abs(chances - target), -1.0)
    worst = miss.argmax(axis=1)
    order = np.argsort(-miss.max(axis=1), kind="stable")
    wrong = [(at, int(worst[at])) for at in order.tolist() if miss[at].max() > WRONG][:MOST_IMAGES]
    best = np.where((row_weights(ours) > 0)[:, None], chances, -1.0).argmax(axis=0)
    return wrong, [(int(at), code) for code, at in enumerate(best)][:MOST_IMAGES]


def _explained(tested: Tested, asked: Asked, most: int) -> list[dict[str, Any]]:
    """The images of these rows with what the answers to them hang on."""
    if not asked:
        return []
    ours, images = tested.model, tested.asked.inputs[IMAGES]
    at, of = (np.array(each, dtype=np.int64) for each in zip(*asked, strict=True))
    found = covered_patches(
        ours, tested.respond, tested.inputs, at.tolist(), of=of.tolist(), most=most, check=tested.check
    )
    looks = tested.looks(rows_of(tested.inputs, at), at, None if ours.classes is None else of)
    faint = FAINT if ours.classes is not None else FAINT_SHARE * float(known_target(ours).std())
    told = []
    for position, each, look in zip(at.tolist(), found, looks or [None] * len(at), strict=True):
        made = overlaid(images[each["row"]], each, look, of_classes=ours.classes is not None, faint=faint)
        told.append({**placed(tested.store, made, tested.names), "target_chance": _chance(ours, position)})
    return told


def _chance(ours: Predictions, at: int) -> float | None:
    """The probability that the true class was given."""
    if ours.probabilities is None or ours.target is None or ours.several:
        return None
    return float(ours.probabilities[at, ours.target[at]])


def _happened(found: Mapping[str, Any]) -> Said:
    row = row_name(found)
    if not isinstance(found["prediction"], str):
        told, true = number(found["prediction"]), number(found["target"])
        return said("{row}: answered {prediction}, true is {target}", row=row, prediction=told, target=true)
    told, chance = shown(found["prediction"]), share(found["answer"])
    if "held" in found:
        if found["held"]:
            return said("{row}: holds {label}, which was given {chance}", row=row, label=told, chance=chance)
        return said("{row}: does not hold {label}, which was given {chance}", row=row, label=told, chance=chance)
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
