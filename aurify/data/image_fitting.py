"""One image brought into a form: turned upright, of eight bits, gray or in colour, and of the form's size."""

from __future__ import annotations

from typing import Any

import numpy as np

from aurify.data.image_files import SIDEWAYS, opened, orientation
from aurify.data.image_form import Form

GAP = 2.0
"""Large images are first shrunk in whole steps to this many times what is wanted: as good to the eye, and faster."""


def fitted(value: Any, form: Form, folder: str | None = None) -> np.ndarray:
    """One image (H, W, C) uint8; raises whatever a reader of damaged files raises."""
    image = opened(value, folder)
    size, turned = (form.width, form.height), orientation(image)
    if image.format == "JPEG":
        if image.size != size:  # decoded at an eighth, a quarter or a half where that is still large enough
            image.draft("RGB", size[::-1] if turned in SIDEWAYS else size)
    elif image.format == "PNG":
        image.load()  # what PNG files say of themselves may stand behind the pixels
        turned = orientation(image)
    if turned > 1:
        image = image.transpose(_turns()[turned])
    image = _eight_bit(image)
    mode = "L" if form.channels == 1 else "RGB"
    if image.mode != mode:
        image = image.convert(mode)
    if image.size != size:
        image = _sized(image, size, form.aspect)
    return np.asarray(image, dtype=np.uint8).reshape(form.shape)


def _turns() -> dict[int, Any]:
    """What sets an image upright again, by how the camera was held."""
    from PIL.Image import Transpose

    return {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }


def _eight_bit(image: Any) -> Any:
    """Of 16 bits a pixel the upper eight; what is transparent lies on white."""
    from PIL import Image

    if image.mode.startswith("I") or image.mode == "F":
        values = np.nan_to_num(np.asarray(image, dtype=np.float32))
        top = _top(image.mode, values)
        return Image.fromarray((values.clip(0, top) * (255.0 / top) + 0.5).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image)
        return ground
    return image


def _top(mode: str, values: np.ndarray) -> float:
    """What is white: of 16 bits their largest; of others the first of 1 (of fractions), 255 and 65,535 that holds."""
    if mode.startswith("I;16"):
        return 65535.0
    highest = float(values.max(initial=0.0))
    if mode == "F" and highest <= 1.0:
        return 1.0
    return next((top for top in (255.0, 65535.0) if highest <= top), highest)


def _sized(image: Any, size: tuple[int, int], aspect: str) -> Any:
    """The image in another size, (width, height)."""
    from PIL import Image

    how, (width, height) = Image.Resampling.BILINEAR, size
    if aspect == "crop":
        wide, high = min(image.width, image.height * width / height), min(image.height, image.width * height / width)
        left, top = (image.width - wide) / 2, (image.height - high) / 2
        return image.resize(size, how, (left, top, left + wide, top + high), GAP)
    if aspect == "stretch":
        return image.resize(size, how, reducing_gap=GAP)
    scale = min(width / image.width, height / image.height)
    inner = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    ground = Image.new(image.mode, size)
    ground.paste(image.resize(inner, how, reducing_gap=GAP), ((width - inner[0]) // 2, (height - inner[1]) // 2))
    return ground
