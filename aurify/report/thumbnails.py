"""Images small enough for a page: as data URIs, and with a heat laid over them."""

# H height, W width, C channels, h and w of a map that is coarser

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from aurify.report.pictures import Picture

SIDE = 96
"""The longer side of a picture at most, in pixels."""

EXACT_SIDE = 40
"""Up to here every pixel is kept as it is."""

MOST_BYTES = 5000
"""Of one picture: a page holds some two hundred of them."""

QUALITIES = (85, 70, 50, 30, 10)

FOR, AGAINST = (11, 98, 196), (224, 104, 16)
"""Blue and orange, which all kinds of colour vision tell apart."""

DEEPEST = 0.8
"""How much of its colour a place of the strongest heat has; the rest is the image."""

FAINTEST = 0.35
"""How dark the image below a heat is at most, from 0 for black."""


def thumbnail(image: np.ndarray) -> dict[str, Any]:
    """An image (H, W, C) uint8 as plain data: its data URI, and its width and height."""
    from PIL import Image

    plain = np.ascontiguousarray(image[..., 0] if image.shape[2] == 1 else image)
    drawn = Image.fromarray(plain)
    drawn.thumbnail((SIDE, SIDE), Image.Resampling.BILINEAR)
    written = _written(drawn, "PNG") if max(drawn.size) <= EXACT_SIDE else b""
    kind = "png" if written else "jpeg"
    for quality in QUALITIES:
        if written and len(written) <= MOST_BYTES:
            break
        kind, written = "jpeg", _written(drawn, "JPEG", quality=quality)
    source = f"data:image/{kind};base64,{base64.b64encode(written).decode()}"
    return {"source": source, "width": drawn.width, "height": drawn.height}


def picture(found: Mapping[str, Any], name: str, caption: str = "", *, large: bool = False) -> Picture:
    """What ``thumbnail`` made, with what it shows and what stands below."""
    return Picture(found["source"], found["width"], found["height"], name, caption, large)


def heated(image: np.ndarray, heat: np.ndarray, strongest: float) -> np.ndarray:
    """An image (H, W, C) uint8 in gray under the colours of a heat (h, w): blue above 0, orange below; (H', W', 3).

    ``strongest`` is the heat of the deepest colour.
    """
    from PIL import Image

    gray = Image.fromarray(np.rint(image.mean(axis=2)).astype(np.uint8))
    scale = SIDE / max(gray.size)
    size = (max(1, round(gray.width * scale)), max(1, round(gray.height * scale)))
    below = np.asarray(gray.resize(size, Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BILINEAR)) / 255
    smooth = Image.fromarray(heat.astype(np.float32)).resize(size, Image.Resampling.BILINEAR)
    return _coloured(FAINTEST + (1 - FAINTEST) * below, np.asarray(smooth) / max(strongest, 1e-12))


def scale_of() -> dict[str, Any]:
    """The colours of a heat from its lowest to its highest, side by side."""
    values = np.linspace(-1.0, 1.0, SIDE)[None].repeat(10, 0)
    return thumbnail(_coloured(np.full(values.shape, 0.8), values))


def _coloured(below: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """Gray (H, W) from 0 to 1 under colours of a strength (H, W) from -1 to 1: (H, W, 3) uint8."""
    colour = np.where(strength[..., None] >= 0, np.array(FOR), np.array(AGAINST))
    cover = DEEPEST * np.abs(strength).clip(0, 1)[..., None]
    return np.rint((1 - cover) * 255 * below[..., None] + cover * colour).astype(np.uint8)


def _written(image: Any, form: str, **how: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, optimize=True, **how)
    return file.getvalue()
