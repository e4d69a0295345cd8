"""The images of the data: in which form they are read, and some of each class."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from aurify.core.words import Said, said
from aurify.data.image_form import IMAGES, Form
from aurify.data.store import Store
from aurify.report.pictures import Gallery, Strip
from aurify.report.section import Block, DataSection, Inspection, Paragraph, Tested
from aurify.report.thumbnails import picture, thumbnail
from aurify.report.values import amount, shown

MOST_CLASSES = 12
"""Classes that are shown, the most frequent first."""

MOST_IMAGES = 7
"""Of a class."""

RANKS = 14
"""Images that are shown where a number is predicted, from the lowest to the highest."""

FITTED = {
    "crop": said("what does not fit is cut off around the middle"),
    "pad": said("what does not fill it has black beside it"),
    "stretch": said("what does not fit is squeezed"),
}


class Images(DataSection):
    """A contact sheet of the images that are learnt from."""

    order = 215

    @property
    def title(self) -> Said:
        return said("The images")

    def measure(self, tested: Tested) -> Any:
        learnt = np.sort(np.concatenate([tested.parts.fit, tested.parts.held]))
        return measure_images(tested.store, learnt, hidden=tested.recipe.hidden)

    def show(self, record: Inspection, measured: Any) -> Sequence[Block]:
        if measured is None:
            return []
        blocks: list[Block] = [Paragraph(_form(measured))]
        if not measured["strips"]:
            return blocks
        strips = [_strip(each) for each in measured["strips"]]
        more = measured["classes"] - len(strips)
        left = [Paragraph(said("Classes that are not shown: {count:,}.", count=more))] if more > 0 else []
        return [*blocks, Paragraph(_about(measured)), Gallery(strips), *left]


def measure_images(store: Store, rows: np.ndarray, *, hidden: Collection[str] = ()) -> dict[str, Any] | None:
    """Some images of rows by id (N,), class by class; None of data without images."""
    column = store.schema.image
    if column is None or column.name in hidden:
        return None
    form = Form.of(column.format)
    about = {"column": column.name, "height": form.height, "width": form.width, "channels": form.channels}
    strips = list(_strips(store, rows))
    kind = "none" if store.schema.target is None else "number" if store.schema.classes is None else "class"
    kind = "label" if store.schema.labels is not None else kind
    return {
        **about,
        "aspect": form.aspect,
        "kind": kind,
        "classes": len(store.schema.classes or ()),
        "strips": strips[:MOST_CLASSES],
    }


def _strips(store: Store, rows: np.ndarray) -> Iterator[dict[str, Any]]:
    """Images of each class or label, of numbers from the lowest to the highest, of no target any."""
    images, names, target = store.inputs[IMAGES], store.schema.classes, np.asarray(store.target[rows])
    if not len(rows):
        return
    if store.schema.target is None or names is None:
        known = store.schema.target is not None
        order = rows[np.argsort(target, kind="stable")] if known else rows
        some = _spread(order, RANKS)
        told = [float(store.target[row]) if known else None for row in some]
        yield {
            "name": None,
            "pictures": [{**thumbnail(images[row]), "value": v} for row, v in zip(some, told, strict=True)],
        }
        return
    holds = target > 0 if target.ndim == 2 else target[:, None] == np.arange(len(names))
    counts = holds.sum(axis=0)
    for code in np.argsort(-counts, kind="stable")[:MOST_CLASSES].tolist():
        some = _spread(rows[holds[:, code]], MOST_IMAGES)
        if len(some):
            pictures = [{**thumbnail(images[row]), "value": None} for row in some]
            yield {"name": names[code], "rows": int(counts[code]), "pictures": pictures}


def _spread(rows: np.ndarray, most: int) -> np.ndarray:
    """At most so many of rows (N,), evenly."""
    return rows[np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(np.int64)]


def _form(measured: Mapping[str, Any]) -> Said:
    colours = said("in gray") if measured["channels"] == 1 else said("in colour")
    return said(
        "The images of column {column} are read as {width:,} × {height:,} pixels {colours}; {fitted}.",
        column=shown(measured["column"]),
        width=measured["width"],
        height=measured["height"],
        colours=colours,
        fitted=FITTED[measured["aspect"]],
    )


def _about(measured: Mapping[str, Any]) -> Said:
    match measured["kind"]:
        case "class":
            return said("Some of the images of each class, as they are read.")
        case "label":
            return said("Some of the images that hold each label, as they are read.")
        case "number":
            return said("Some of the images, as they are read, from the lowest to the highest number.")
    return said("Some of the images, as they are read.")


def _strip(found: Mapping[str, Any]) -> Strip:
    name = found["name"]
    if name is None:
        every = [(each, "" if each["value"] is None else amount(each["value"])) for each in found["pictures"]]
        return Strip("", [picture(each, _one(value), value) for each, value in every])
    told = said("an image of {name}", name=shown(name))
    pictures = [picture(each, told) for each in found["pictures"]]
    return Strip(said("{name}: {rows:,} rows", name=shown(name), rows=found["rows"]), pictures)


def _one(value: str) -> Said:
    return said("an image with {value}", value=value) if value else said("an image")
