"""Images that are in memory already: arrays (N, H, W) or (N, H, W, C), tensors, and lists of Pillow images."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from aurify.core.errors import AurifyError
from aurify.data.class_folders import IMAGE

if TYPE_CHECKING:
    import polars as pl

CHANNELS = (1, 3, 4)
FIX = "give (images, height, width) or (images, height, width, channels) with 1, 3 or 4 channels"


def is_image(value: Any) -> bool:
    """Whether a cell is an image: Pillow's, or an array (H, W) or (H, W, C)."""
    if isinstance(value, np.ndarray):
        return value.ndim in (2, 3) and value.dtype.kind in "buif"
    return type(value).__module__.startswith("PIL.") and hasattr(value, "getexif")


def frame_of_array(images: np.ndarray) -> pl.DataFrame:
    """A column of images. Raises AurifyError for shapes and values that are not those of images."""
    import polars as pl

    shape = tuple(images.shape)
    if images.ndim not in (3, 4) or 0 in shape or (images.ndim == 4 and shape[3] not in CHANNELS):
        first = images.ndim == 4 and shape[1] in CHANNELS
        fix = "channels come last: images.transpose(0, 2, 3, 1)" if first else FIX
        raise AurifyError(f"an array of shape {shape} is none of images; {fix}")
    if images.ndim == 3 and shape[2] in (3, 4) and shape[1] > 2 * shape[2]:
        raise AurifyError(f"an array of shape {shape} is one image, or none; {FIX}")
    return pl.DataFrame({IMAGE: pl.Series(IMAGE, np.ascontiguousarray(in_bytes(images)))})


def in_bytes(values: np.ndarray) -> np.ndarray:
    """Pixels as uint8: of bytes as they are, of fractions 0 to 1 and of booleans in 255 steps.

    Raises AurifyError for other numbers.
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind == "b":
        return values.astype(np.uint8) * np.uint8(255)
    if values.dtype.kind not in "iuf":
        raise AurifyError(f"pixels of type {values.dtype} are no numbers; give uint8, or fractions from 0 to 1")
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if values.dtype.kind == "f" and low >= 0 and high <= 1:
        return (values * 255 + 0.5).astype(np.uint8)
    if values.dtype.kind in "iu" and low >= 0 and high <= 255:
        return values.astype(np.uint8)
    wanted = "from 0 to 1, or bytes (uint8)" if values.dtype.kind == "f" else "from 0 to 255"
    raise AurifyError(f"pixels of type {values.dtype} go from {low:g} to {high:g}; give numbers {wanted}")


def packed(values: Sequence[Any]) -> list[bytes | str | None]:
    """Cells that are images as bytes of files, without loss; paths, bytes and missing ones as they are."""
    return [_file_of(value) if is_image(value) else value for value in values]


def _file_of(value: Any) -> bytes:
    """Bytes of a TIFF file that is not packed: it holds every kind of pixel."""
    from PIL import Image

    if isinstance(value, np.ndarray):
        if value.ndim == 3 and value.shape[2] not in CHANNELS:
            raise AurifyError(f"an array of shape {value.shape} is no image; give (height, width, channels)")
        value = Image.fromarray(np.ascontiguousarray(in_bytes(value[..., 0] if value.shape[2:] == (1,) else value)))
    with io.BytesIO() as file:
        value.save(file, "TIFF")
        return file.getvalue()
