"""Rows of an array of images that is perhaps mapped from a file: nothing of it is read before somebody looks."""

# N images in the array, M rows of it, H height, W width, C channels

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np


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

    def taken(self) -> np.ndarray:
        """The images themselves (M, H, W, C)."""
        return np.asarray(self.values[self.index])


def rows_of_input(values: Any, rows: np.ndarray) -> Any:
    """Rows (M,) of one input of a Store: images are not copied, all others are."""
    if isinstance(values, np.ndarray) and values.ndim == 4:
        return ImageRows(values, np.asarray(rows))
    return values[rows]
