"""Whether pixels prove that one image is a copy of another, perhaps cut a little and of another brightness."""

# P pairs, S side of a small image

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from aurify.core.cores import cores
from aurify.data.small_gray import averaging

AT_ONCE = 1024

Cut = tuple[tuple[float, float], tuple[float, float]]
"""Shares left out above and below, and left and right."""


@dataclass(frozen=True, eq=False)
class Proof:
    """How well pairs (P,) agree: the share of the spread of pixels that is explained, and correlation of detail."""

    pixels: np.ndarray
    detail: np.ndarray

    def hold(self, pixels: float, detail: float) -> np.ndarray:
        """Which pairs (P,) bool agree at least so well."""
        return (self.pixels >= pixels) & (self.detail >= detail)


def proofs(one: np.ndarray, other: np.ndarray, pairs: np.ndarray, cuts: Sequence[Cut]) -> Proof:
    """Compare cuts of images ``one`` (N, S, S) with images ``other`` (M, S, S): ``pairs`` (P, 3) of both and the cut.

    The second is explained by the first, its brightness and its contrast, and by what it would change if it were moved
    or stretched a little (Lucas & Kanade 1981). Two dark or smooth images agree in this, so their fine detail, what a
    blur takes away, has to agree too.
    """
    pixels, detail = np.zeros(len(pairs), dtype=np.float32), np.zeros(len(pairs), dtype=np.float32)
    pieces = [
        rows[start : start + AT_ONCE]
        for cut in range(len(cuts))
        for rows in [np.flatnonzero(pairs[:, 2] == cut)]
        for start in range(0, len(rows), AT_ONCE)
    ]

    def some(rows: np.ndarray) -> None:
        first, second, cut = pairs[rows].T
        down, across = (averaging(one.shape[1], one.shape[1], *left) for left in cuts[cut[0]])
        seen = down @ one[first].astype(np.float32) @ across.T
        pixels[rows], detail[rows] = _agreement(_blurred(seen), _blurred(other[second].astype(np.float32)))

    with ThreadPoolExecutor(cores()) as threads:
        list(threads.map(some, pieces))
    return Proof(pixels, detail)


def _agreement(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of images (P, S, S), the second explained by the first: shares (P,) and correlations of detail (P,)."""
    side = one.shape[1]
    place = np.linspace(-1, 1, side, dtype=np.float32)
    down, across = np.gradient(one, axis=1), np.gradient(one, axis=2)
    columns = [one, np.ones_like(one), across, down, across * place, down * place[:, None]]
    known = np.stack(columns, -1).reshape(len(one), -1, len(columns))
    asked = other.reshape(len(one), -1, 1)
    turned = known.transpose(0, 2, 1)
    square = (turned @ known).astype(np.float64) + 1e-3 * np.eye(len(columns))
    weights = np.linalg.solve(square, (turned @ asked).astype(np.float64)).astype(np.float32)
    likely = (known @ weights).reshape(other.shape)
    left = ((other - likely) ** 2).mean((1, 2))
    pixels = 1 - left / (other.var((1, 2)) + 1e-6)
    fine, guess = other - _smooth(other), likely - _smooth(likely)
    size = np.sqrt((fine**2).mean((1, 2)) * (guess**2).mean((1, 2)))
    return pixels, np.where(weights[:, 0, 0] > 0, (fine * guess).mean((1, 2)) / (size + 1e-3), 0.0)


def _smooth(images: np.ndarray) -> np.ndarray:
    return _blurred(_blurred(_blurred(images)))


def _blurred(images: np.ndarray) -> np.ndarray:
    """Images (P, S, S) after weights 1, 2, 1 in both directions."""
    wide = np.pad(images, ((0, 0), (1, 1), (1, 1)), mode="edge")
    wide = (wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]) / 4
    return (wide[:, :, :-2] + 2 * wide[:, :, 1:-1] + wide[:, :, 2:]) / 4
