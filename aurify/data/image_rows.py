"""Rows of an array of images that is perhaps mapped from a file: nothing of it is read before somebody looks."""

# N images in the array, M rows of it, H height, W width, C channels

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from aurify.core.pixels import Pixels


@dataclass(frozen=True, eq=False)
class ImageRows:
    """Images ``values`` (N, H, W, C) uint8, of which row i is that at ``index[i]`` (M,) int64.

    What ``core.pixels.Pixels`` are to a network, these are to whoever measures: choosing rows, and giving a row another
    row's image, costs a few numbers however large the images are.
    """

    values: np.ndarray
    index: np.ndarray

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, rows: Any) -> ImageRows:
        """Rows by position (M,), by mask (M,) or by slice."""
        return replace(self, index=self.index[rows])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.taken(), dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """M, H, W, C."""
        return len(self.index), *self.values.shape[1:]

    @classmethod
    def of(cls, pixels: Pixels) -> Self:
        """Images that are on their way to a network, as they are kept: no step may have been put to them."""
        assert not pixels.steps, "images that are changed on the way are kept nowhere"
        return cls(pixels.values.cpu().numpy(), pixels.index.cpu().numpy())

    @classmethod
    def black(cls, like: np.ndarray | ImageRows) -> Self:
        """As many images of the same size, all of them one black one."""
        return cls(np.zeros((1, *like.shape[1:]), dtype=np.uint8), np.zeros(len(like), dtype=np.int64))

    def taken(self) -> np.ndarray:
        """The images themselves (M, H, W, C)."""
        return np.asarray(self.values[self.index])


def are_images(values: Any) -> bool:
    """Whether an input of a Store, or rows of it, are images."""
    return isinstance(values, ImageRows) or (isinstance(values, np.ndarray) and values.ndim == 4)


def rows_of_input(values: Any, rows: Any) -> Any:
    """Rows (M,) of one input of a Store, by position, mask or slice: images are not copied, all others are."""
    if are_images(values) and not isinstance(values, ImageRows):
        return ImageRows(values, np.arange(len(values))[rows])
    return values[rows]
