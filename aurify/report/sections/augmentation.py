"""What augmentation does to images of the data: as they are, and as training is shown them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aurify.core.words import Said, listed, said
from aurify.data.image_form import IMAGES
from aurify.data.store import Store
from aurify.report.pictures import Gallery, Picture, Strip
from aurify.report.section import Block, Paragraph, Record, Section, Tested
from aurify.report.thumbnails import picture, thumbnail
from aurify.report.values import amount, shown
from aurify.training.contact import augmented, shown_by

MOST_IMAGES, DRAWS = 5, 7
"""Images that are shown, and how often each is changed."""


class Augmentation(Section):
    """A contact sheet: a row an image, first as it is read, then as it is drawn."""

    order = 218

    @property
    def title(self) -> Said:
        return said("What augmentation does to the images")

    def measure(self, tested: Tested) -> Any:
        store, recipe = tested.store, tested.recipe
        names = [technique.name() for technique in shown_by(recipe)]
        if store.schema.image is None or store.schema.image.name in recipe.hidden or not names:
            return None
        rows = _some(store, np.sort(tested.parts.fit))
        images = np.array(store.inputs[IMAGES][rows])
        drawn = augmented(recipe, {IMAGES: images}, _targets(store, rows), recipe.seed, DRAWS)
        sheets = [[thumbnail(version[at]) for version in drawn] for at in range(len(rows))]
        return {
            "techniques": names,
            "rows": [{"name": _name(store, row), "pictures": sheet} for row, sheet in zip(rows, sheets, strict=True)],
        }

    def show(self, record: Record, measured: Any) -> Sequence[Block]:
        if measured is None or not measured["rows"]:
            return []
        return [Paragraph(_about(measured)), Gallery([_strip(each) for each in measured["rows"]])]


def _some(store: Store, rows: np.ndarray) -> np.ndarray:
    """A few of the rows (N,), of different classes or far apart in what is predicted."""
    target = np.asarray(store.target[rows])
    order = rows[np.argsort(target if target.ndim == 1 else target.argmax(axis=1), kind="stable")]
    most = min(MOST_IMAGES, len(order))
    return order[((np.arange(most) + 0.5) * len(order) / max(1, most)).astype(np.int64)]


def _targets(store: Store, rows: np.ndarray) -> np.ndarray:
    """What training is to learn of rows (M,): probabilities (M, K) or numbers (M,)."""
    target = np.asarray(store.target[rows])
    if store.schema.classes is None or target.ndim == 2:
        return target.astype(np.float32)
    return np.eye(len(store.schema.classes), dtype=np.float32)[target]


def _name(store: Store, row: int) -> str:
    """What is known of a row's target, in a few words."""
    target, names = store.target[row], store.schema.classes
    if names is None:
        return amount(float(target))
    if np.ndim(target):
        return ", ".join(name for name, held in zip(names, target, strict=True) if held > 0)
    return names[int(target)]


def _about(measured: Mapping[str, Any]) -> Said:
    return said(
        "A few images of training, first as they are read, then as the network is shown them: changed anew each time by"
        " {techniques}. If what is to be told apart is still there in every one of them, augmentation helps; if it is"
        " not, turn it down or off.",
        techniques=listed(measured["techniques"]),
    )


def _strip(found: Mapping[str, Any]) -> Strip:
    first, *drawn = found["pictures"]
    name = shown(found["name"])
    pictures: list[Picture] = [picture(first, said("an image of {name}", name=name), said("as it is"))]
    pictures += [picture(each, said("the same image, augmented")) for each in drawn]
    return Strip(name, pictures)
