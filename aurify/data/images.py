"""Images of files, of bytes or in memory, brought into one form as arrays (N, H, W, C) uint8."""

from __future__ import annotations

import io
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aurify.core.cores import cores
from aurify.data.image_form import ASPECTS, MOST_SIDE, Form

if TYPE_CHECKING:
    import polars as pl

FORMATS = ("JPEG", "PNG", "BMP", "GIF", "WEBP", "TIFF")
"""What is decoded: each by its own reader, and nothing else."""

MOST_PIXELS = 2**26
"""Of one image, before it is decoded."""

LOOKED_AT = 500
"""Images that are measured to choose a form."""

LARGEST_SIDE = 128
"""Of a form that is chosen by the data."""

IN_MEMORY_BYTES = 2**28
"""From here on what is decoded is kept in a file and mapped."""

CHUNK = 256


@dataclass(frozen=True)
class Decoded:
    """Images (N, H, W, C) uint8, and why some could not be read (their row: a reason); those are black."""

    images: np.ndarray
    unread: dict[int, str]


def form_of(values: pl.Series, size: int | None, aspect: str) -> Form:
    """The form that suits these images: their own size where it is one and small, else the median side, at most 128."""
    if values.dtype.is_nested():  # arrays as they are
        height, width, *channels = values.dtype.shape  # type: ignore[attr-defined]
        own = [(width, height, (channels or [1])[0] == 1)]
    else:
        step = max(1, len(values) // LOOKED_AT)
        own = [about for each in values[::step].to_list() if (about := _about(each)) is not None]
    gray = bool(own) and all(each[2] for each in own)
    sides = Counter((height, width) for width, height, _ in own)
    if size is not None:
        height = width = size
    elif len(sides) == 1 and max(max(sides)) <= LARGEST_SIDE:
        ((height, width),) = sides
    else:
        middle = np.median([min(each[:2]) for each in own]) if own else 32
        height = width = int(min(LARGEST_SIDE, max(16, 16 * round(middle / 16))))
    return Form(
        min(height, MOST_SIDE), min(width, MOST_SIDE), 1 if gray else 3, ASPECTS[0] if aspect == "auto" else aspect
    )


def decoded(values: pl.Series, form: Form, show: Callable[[int, int], None] = lambda done, total: None) -> Decoded:
    """Bring every image into a form: paths, bytes of files, or arrays (H, W) and (H, W, C) of bytes."""
    images = _room((len(values), *form.shape))
    unread: dict[int, str] = {}
    each = values.to_numpy() if values.dtype.is_nested() else values.to_list()

    def some(start: int) -> int:
        for at in range(start, min(start + CHUNK, len(images))):
            try:
                images[at] = _fitted(each[at], form)
            except Exception as error:  # decoders fail in many ways
                unread[at] = reason_of(error)
        return min(start + CHUNK, len(images)) - start

    done = 0
    with warnings.catch_warnings(), ThreadPoolExecutor(cores()) as threads:
        warnings.simplefilter("ignore")
        for count in threads.map(some, range(0, len(images), CHUNK)):
            done += count
            show(done, len(images))
    return Decoded(images, dict(sorted(unread.items())))


def reason_of(error: Exception) -> str:
    """What is wrong with an image, in a few words."""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    return text if isinstance(error, ValueError) and "no image" in text else f"it cannot be decoded ({text})"


def _room(shape: tuple[int, ...]) -> np.ndarray:
    """An array of zeros; a large one lies in a file that is gone with it."""
    if int(np.prod(shape)) < IN_MEMORY_BYTES:
        return np.zeros(shape, dtype=np.uint8)
    return np.memmap(tempfile.TemporaryFile(), dtype=np.uint8, mode="w+", shape=shape)


def _opened(value: Any) -> Any:
    """The image of a path, of bytes or of an array, its pixels not read yet."""
    from PIL import Image

    if value is None or (isinstance(value, str) and not value):
        raise ValueError("there is no image")
    if isinstance(value, np.ndarray):
        return Image.fromarray(
            np.ascontiguousarray(value[..., 0] if value.ndim == 3 and value.shape[2] == 1 else value)
        )
    opened = Image.open(io.BytesIO(value) if isinstance(value, bytes) else Path(value), formats=FORMATS)
    if opened.width * opened.height > MOST_PIXELS:
        raise ValueError(f"no image has {opened.width:,} x {opened.height:,} pixels here; at most {MOST_PIXELS:,}")
    return opened


def _about(value: Any) -> tuple[int, int, bool] | None:
    """Width, height and whether it is gray; None where it is not readable."""
    try:
        image = _opened(value)
    except Exception:
        return None
    turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    width, height = image.size[::-1] if turned else image.size
    return width, height, image.mode in ("1", "L", "LA", "I", "F") or image.mode.startswith("I;16")


def _fitted(value: Any, form: Form) -> np.ndarray:
    """One image (H, W, C) uint8."""
    from PIL import Image, ImageOps

    image = _opened(value)
    size = (form.width, form.height)
    image.draft("RGB", size)
    image = ImageOps.exif_transpose(image)
    image = _eight_bit(image).convert("L" if form.channels == 1 else "RGB")
    if image.size != size:
        how = Image.Resampling.BILINEAR
        match form.aspect:
            case "crop":
                image = ImageOps.fit(image, size, how)
            case "pad":
                image = ImageOps.pad(image, size, how)
            case _:
                image = image.resize(size, how)
    return np.asarray(image, dtype=np.uint8).reshape(form.shape)


def _eight_bit(image: Any) -> Any:
    """Of 16 bits a pixel the upper eight; what is transparent lies on white."""
    from PIL import Image

    if image.mode.startswith("I") or image.mode == "F":
        values = np.asarray(image, dtype=np.float64)
        top = 65535.0 if values.max(initial=0) > 255 else 255.0
        return Image.fromarray((values.clip(0, top) * (255.0 / top)).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        ground.alpha_composite(image)
        return ground
    return image
