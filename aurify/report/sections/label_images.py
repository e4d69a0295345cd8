"""Tested images whose label may be what is wrong, to be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aurify.core.errors import AurifyError
from aurify.core.words import Said, said
from aurify.data.image_form import IMAGES
from aurify.measure.intervals import row_weights
from aurify.measure.label_errors import finder
from aurify.measure.predictions import Predictions
from aurify.measure.summaries import known_target
from aurify.report.numbered import placed, row_name
from aurify.report.pictures import Gallery, Picture, Strip
from aurify.report.section import Block, Paragraph, Record, Section, Tested
from aurify.report.thumbnails import picture, thumbnail
from aurify.report.values import share, shown

MOST_IMAGES = 20

LEAST_ROWS = 5
"""Of a class among the tested ones, below which nothing is said about its labels."""


class LabelImages(Section):
    """Probable label errors among tested images, by the model that did not see them."""

    order = 710

    @property
    def title(self) -> Said:
        return said("Labels worth a look")

    def measure(self, tested: Tested) -> Any:
        ours, column = tested.model, tested.store.schema.image
        if column is None or column.name in tested.recipe.hidden or ours.several or ours.probabilities is None:
            return None
        try:
            suspects, looked_at = _suspects(ours)
        except AurifyError as error:
            return {"why_not": str(error)}
        images, names = tested.asked.inputs[IMAGES], ours.classes or ()
        pictures = [
            {
                **placed(tested.store, {"row": int(ours.row[at])}, tested.names),
                **thumbnail(images[ours.row[at]]),
                "target": names[known_target(ours)[at]],
                "likely": names[int(ours.probabilities[at].argmax())],
                "chance": float(ours.probabilities[at].max()),
            }
            for at in suspects[:MOST_IMAGES].tolist()
        ]
        return {"looked_at": looked_at, "suspects": len(suspects), "pictures": pictures}

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        if measured is None or not measured.get("looked_at", 1):
            return []
        if "why_not" in measured:
            return [Paragraph(said("Labels are not looked at: {reason}.", reason=measured["why_not"]))]
        if not measured["pictures"]:
            return [
                Paragraph(said("No label of the {rows:,} images looks wrong to the model.", rows=measured["looked_at"]))
            ]
        return [Paragraph(_about(measured)), Gallery([Strip("", [_picture(each) for each in measured["pictures"]])])]


def _suspects(ours: Predictions) -> tuple[np.ndarray, int]:
    """Positions of tested rows whose label is probably wrong, the surest first, and how many rows were looked at."""
    find, target = finder("the section on labels"), known_target(ours)
    assert ours.probabilities is not None, "labels are judged by probabilities"
    counts = np.bincount(target, minlength=ours.probabilities.shape[1])
    judged = np.flatnonzero(counts >= LEAST_ROWS)
    at = np.flatnonzero(np.isin(target, judged) & (row_weights(ours) > 0))
    if len(judged) < 2 or not len(at):
        return np.empty(0, dtype=np.int64), 0
    likely = ours.probabilities[at][:, judged] + 1e-9
    found = find(np.searchsorted(judged, target[at]), likely / likely.sum(axis=1, keepdims=True))
    return at[found], len(at)


def _about(measured: Mapping[str, Any]) -> Said:
    return said(
        "{count:,} of {rows:,} tested images look like another class to the model, which did not learn from them"
        " (confident learning, Northcutt et al. 2021): the surest are shown, with the label they have and the class"
        " that the model says. Where classes overlap, or the model is weak, most labels may well be right.",
        count=measured["suspects"],
        rows=measured["looked_at"],
    )


def _picture(found: Mapping[str, Any]) -> Picture:
    row, target, likely = row_name(found), shown(found["target"]), shown(found["likely"])
    name = said("{row}: labelled {target}, likely {likely}", row=row, target=target, likely=likely)
    chance = share(found["chance"])
    below = said("{row}: {target} → {likely}? {chance}", row=row, target=target, likely=likely, chance=chance)
    return picture(found, name, below)
