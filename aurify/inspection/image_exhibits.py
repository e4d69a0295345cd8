"""Images of rows as an exhibit shows them, small enough for a page."""

# H height, W width, C channels

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np

from aurify.core.words import said
from aurify.data.findings import Exhibit
from aurify.data.image_facts import name_of
from aurify.data.image_form import IMAGES
from aurify.inspection.inspected import Inspected

SIDE = 96
"""The longer side of a picture at most, in pixels."""

EXACT_SIDE, QUALITY = 40, 70
"""Up to here every pixel is kept; of larger pictures 12 KB would be 3."""

SHOWN, SHOWN_STRIPS = 24, 8
"""Pictures of an exhibit at most, and groups of them."""


def images_exhibit(
    seen: Inspected, caption: str, groups: Sequence[Sequence[int]], beside: dict[int, str] | None = None
) -> Exhibit:
    """Rows by id, group after group, with name, class where that may be seen, and what is ``beside`` them."""
    strips, left = [], SHOWN
    for group in [list(group)[:left] for group in groups[:SHOWN_STRIPS]]:
        strips.append([_picture(seen, row, (beside or {}).get(row, "")) for row in group[:left]])
        left -= len(strips[-1])
    return Exhibit(kind="images", caption=caption, data={"strips": [strip for strip in strips if strip]})


def file_of(seen: Inspected, row: int) -> str:
    """What to call a row's image: the end of its path, or the number of the row."""
    frame, at = (seen.frames[0], row) if row < seen.frame.height else (seen.frames[-1], row - seen.frame.height)
    image = seen.schema.image
    assert image is not None, "there are no images"
    return name_of(frame[image.name][at]) or said("row {row:,}", row=row)


def _picture(seen: Inspected, row: int, beside: str) -> dict[str, Any]:
    name, known = file_of(seen, row), seen.classes is not None and seen.schema.labels is None and row in seen.of_rows
    value = int(seen.store.target[row]) if known else -1
    words = [name, *([(seen.classes or ())[value]] if value >= 0 else []), *([beside] if beside else [])]
    text = said("{name}: {what}", name=words[0], what=words[1]) if len(words) == 2 else words[0]
    if len(words) == 3:
        text = said("{name}: {what}, {more}", name=words[0], what=words[1], more=words[2])
    return {**_drawn(np.asarray(seen.store.inputs[IMAGES][row])), "text": text}


def _drawn(image: np.ndarray) -> dict[str, Any]:
    """An image (H, W, C) uint8 as plain data: a data URI, its width and height."""
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(image[..., 0] if image.shape[2] == 1 else image))
    picture.thumbnail((SIDE, SIDE), Image.Resampling.BILINEAR)
    file, exact = io.BytesIO(), max(picture.size) <= EXACT_SIDE
    picture.save(file, "PNG" if exact else "JPEG", optimize=True, **({} if exact else {"quality": QUALITY}))
    source = f"data:image/{'png' if exact else 'jpeg'};base64,{base64.b64encode(file.getvalue()).decode()}"
    return {"source": source, "width": picture.width, "height": picture.height}
