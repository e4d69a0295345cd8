"""Rows that were made typed by a Schema."""

# N rows, a, b, d and t columns of numbers, categories, dates and texts, H height, W width, C channels

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aurify.data.image_form import IMAGES
from aurify.data.packed import Packed


@dataclass(frozen=True)
class Parsed:
    """Typed rows: numbers (N, a) float64 with NaN for missing, codes (N, b) int32 (-1 missing, -2 unknown).

    ``dates`` (N, d) are float64 seconds since 1970 in UTC, NaN for missing; ``texts`` (N, t) are empty where missing.
    ``images`` (N, H, W, C) are uint8, if there are any, black where they are ``unread`` (why, by row).
    """

    numbers: np.ndarray
    codes: np.ndarray
    dates: np.ndarray
    texts: Packed
    notes: tuple[str, ...] = ()
    images: np.ndarray | None = None
    unread: Mapping[int, str] = field(default_factory=dict)

    @property
    def inputs(self) -> dict[str, Any]:
        """By input name, without kinds that have no column."""
        every = {"numbers": self.numbers, "codes": self.codes, "dates": self.dates, "texts": self.texts}
        some = {name: values for name, values in every.items() if values.shape[1]}
        return some if self.images is None else {**some, IMAGES: self.images}
