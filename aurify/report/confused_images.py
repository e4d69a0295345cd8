"""Images of one class that were taken for another: what the confusion matrix counts, to be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aurify.core.words import said
from aurify.data.image_form import IMAGES
from aurify.measure.intervals import row_weights
from aurify.measure.summaries import known_target
from aurify.report.numbered import placed, row_name
from aurify.report.pictures import Gallery, Strip
from aurify.report.section import Block, Paragraph, Tested
from aurify.report.thumbnails import picture, thumbnail
from aurify.report.values import share, shown

MOST_PAIRS = 6
"""Of a true and a predicted class that are shown, the most frequent first."""

MOST_IMAGES = 6
"""Of a pair, those answered with the highest probability first."""


def confused_images(tested: Tested) -> list[dict[str, Any]]:
    """For the most frequent confusions the tested images that were confused; nothing of data without images."""
    ours, column = tested.model, tested.store.schema.image
    if column is None or column.name in tested.recipe.hidden or ours.classes is None:
        return []
    target, prediction, weight = known_target(ours), ours.prediction, row_weights(ours)
    wrong = np.flatnonzero((target != prediction) & (weight > 0))
    pairs = target[wrong] * len(ours.classes) + prediction[wrong]
    known, place = np.unique(pairs, return_inverse=True)
    rows = np.bincount(place, weights=weight[wrong], minlength=len(known))
    images, found = tested.asked.inputs[IMAGES], []
    for pair in np.argsort(-rows, kind="stable")[:MOST_PAIRS].tolist():
        true, told = divmod(int(known[pair]), len(ours.classes))
        mine = wrong[place == pair]
        chance = np.ones(len(mine)) if ours.probabilities is None else ours.probabilities[mine, told]
        some = mine[np.argsort(-chance, kind="stable")][:MOST_IMAGES]
        pictures = [
            {
                **placed(tested.store, {"row": int(ours.row[at])}, tested.names),
                **thumbnail(images[ours.row[at]]),
                "chance": None if ours.probabilities is None else float(ours.probabilities[at, told]),
            }
            for at in some.tolist()
        ]
        found.append(
            {"target": ours.classes[true], "prediction": ours.classes[told], "rows": len(mine), "pictures": pictures}
        )
    return found


def confused_told(examples: Sequence[Mapping[str, Any]]) -> list[Block]:
    """What ``confused_images`` found as blocks."""
    if not examples:
        return []
    about = said(
        "Images of the most frequent confusions, of each those first that were taken for the other class with the"
        " highest probability, which stands below them."
    )
    return [Paragraph(about), Gallery([_strip(each) for each in examples])]


def _strip(found: Mapping[str, Any]) -> Strip:
    target, told = shown(found["target"]), shown(found["prediction"])
    pictures = [
        picture(
            each,
            said(
                "{row}: an image of {target}, taken for {prediction}",
                row=row_name(each),
                target=target,
                prediction=told,
            ),
            "" if each["chance"] is None else share(each["chance"]),
        )
        for each in found["pictures"]
    ]
    name = said("{target}, taken for {prediction}: {rows:,} rows", target=target, prediction=told, rows=found["rows"])
    return Strip(name, pictures)
