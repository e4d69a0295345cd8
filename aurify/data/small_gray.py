"""Small gray images, which are compared instead of large coloured ones."""

# N images, H height, W width, C channels, S side of a small image

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from aurify.core.cores import cores
from aurify.data.image_rows import ImageRows

AT_ONCE = 512
GRAY = (0.299, 0.587, 0.114)
"""Of red, green and blue (ITU-R BT.601)."""


def averaging(size: int, side: int, low: float = 0.0, high: float = 0.0) -> np.ndarray:
    """A matrix (side, size) float32 that takes means of stretches, but for shares ``low`` and ``high`` of both ends."""
    edges = size * (low + (1 - low - high) * np.arange(side + 1) / side)
    at = np.arange(size)
    shared = np.clip(np.minimum(edges[1:, None], at + 1) - np.maximum(edges[:-1, None], at), 0, None)
    return (shared / shared.sum(1, keepdims=True)).astype(np.float32)


def small_gray(images: np.ndarray | ImageRows, side: int) -> np.ndarray:
    """Images (N, H, W, C) uint8 as small gray ones (N, S, S) uint8: means of areas, on all cores."""
    down, across = averaging(images.shape[1], side), averaging(images.shape[2], side).T
    weights = np.array(GRAY if images.shape[3] == 3 else [1.0], dtype=np.float32)
    small = np.empty((len(images), side, side), dtype=np.uint8)

    def some(start: int) -> None:
        gray = np.asarray(images[start : start + AT_ONCE]).astype(np.float32) @ weights
        small[start : start + AT_ONCE] = down @ (gray @ across) + 0.5

    with ThreadPoolExecutor(cores()) as threads:
        list(threads.map(some, range(0, len(images), AT_ONCE)))
    return small


def spread(small: np.ndarray) -> np.ndarray:
    """The standard deviation of each small gray image, (N,) float32."""
    found = np.empty(len(small), dtype=np.float32)
    for start in range(0, len(small), AT_ONCE):
        found[start : start + AT_ONCE] = small[start : start + AT_ONCE].astype(np.float32).std((1, 2))
    return found
