"""The form that images are brought into when they are read: how large, with how many channels, and how squared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from aurify.core.errors import AurifyError

IMAGES = "images"
"""The name of the input that images are."""

ASPECTS = ("crop", "pad", "stretch")
"""What becomes of what does not fit the form: cut off around the middle, filled with black beside it, or squeezed."""

MOST_SIDE = 1024


@dataclass(frozen=True)
class Form:
    """Images of one size: ``height`` times ``width`` pixels of ``channels`` bytes, fitted as ``aspect`` says."""

    height: int
    width: int
    channels: int
    aspect: str

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, self.channels

    @classmethod
    def of(cls, text: str) -> Self:
        """Read what ``str`` wrote; raises AurifyError for anything else."""
        found = re.fullmatch(rf"([0-9]+)x([0-9]+)x([13]) ({'|'.join(ASPECTS)})", text)
        sides = [int(found[1]), int(found[2])] if found else []
        if found is None or not all(1 <= side <= MOST_SIDE for side in sides):
            raise AurifyError(f"{text!r} is no form of images, such as 32x32x3 crop")
        return cls(sides[0], sides[1], int(found[3]), found[4])

    def __str__(self) -> str:
        return f"{self.height}x{self.width}x{self.channels} {self.aspect}"
