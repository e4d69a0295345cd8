"""What files of images say of themselves before they are decoded: their form, kind of pixels and size."""

# N rows

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import numpy as np

from aurify.core.cores import cores
from aurify.data.images import FORMATS

if TYPE_CHECKING:
    import polars as pl

AT_ONCE = 512
LONGEST_NAME = 60


@dataclass(frozen=True, eq=False)
class ImageFacts:
    """Of each image (N,): ``forms`` such as JPEG, ``modes`` such as RGB, "" where it cannot be told; ``sides`` (N, 2).

    ``sides`` are width and height, as the file has them, and ``sizes`` its bytes, 0 where they are not known.
    """

    forms: np.ndarray
    modes: np.ndarray
    sides: np.ndarray
    sizes: np.ndarray

    @property
    def known(self) -> np.ndarray:
        """Which images (N,) bool have a size."""
        return self.sides[:, 0] > 0


def facts_of(values: pl.Series, check: Callable[[], None] = lambda: None) -> ImageFacts:
    """Read the beginning of each file (paths, or bytes of files); arrays in memory have no file and say nothing.

    ``check`` is called now and then and may raise to stop the work.
    """
    if values.dtype.is_nested():
        return _gathered([("", "", 0, 0, 0)] * len(values))
    every = values.to_list()
    with ThreadPoolExecutor(cores()) as threads:
        found: list[tuple[str, str, int, int, int]] = []
        pieces = (every[start : start + AT_ONCE] for start in range(0, len(every), AT_ONCE))
        for some in threads.map(lambda piece: list(map(_fact, piece)), pieces):
            check()
            found += some
    return _gathered(found)


def name_of(value: Any) -> str:
    """The last two parts of an image's path, "" for one that has none."""
    if not isinstance(value, str):
        return ""
    name = "/".join(PurePath(value).parts[-2:])
    return name if len(name) <= LONGEST_NAME else f"…{name[-LONGEST_NAME:]}"


def _gathered(found: list[tuple[str, str, int, int, int]]) -> ImageFacts:
    forms, modes, width, height, sizes = zip(*found, strict=True) if found else ((),) * 5
    sides = np.stack([np.array(width, dtype=np.int64), np.array(height, dtype=np.int64)], 1)
    return ImageFacts(np.array(forms, dtype=str), np.array(modes, dtype=str), sides, np.array(sizes, dtype=np.int64))


def _fact(value: Any) -> tuple[str, str, int, int, int]:
    from PIL import Image

    try:
        if isinstance(value, bytes):
            with Image.open(io.BytesIO(value), formats=FORMATS) as image:
                return image.format or "", image.mode, *image.size, len(value)
        with open(value, "rb") as file:  # noqa: PTH123 (thousands of files)
            size = file.seek(0, io.SEEK_END)
            file.seek(0)
            with Image.open(file, formats=FORMATS) as image:
                return image.format or "", image.mode, *image.size, size
    except Exception:  # decoders fail in many ways; why is said where it is decoded
        return "", "", 0, 0, 0
