"""Pictures as blocks of the page: small images, side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

SOURCE = re.compile(r"data:image/(?:png|jpeg);base64,[A-Za-z0-9+/]+={0,2}")
SMALL, LARGE = 72, 112
"""The longer side of a picture on the page, in pixels."""


@dataclass(frozen=True)
class Picture:
    """A small image as a data URI, ``width`` times ``height`` pixels of its own; shown with its longer side ``large``.

    ``name`` is what it shows, said to those who do not see it; the ``caption`` stands below. Raises ValueError for a
    source that is no image of its own: files of a run may be anybody's.
    """

    source: str
    width: int
    height: int
    name: str
    caption: str = ""
    large: bool = False

    def __post_init__(self) -> None:
        sides = (self.width, self.height)
        if not SOURCE.fullmatch(self.source) or not all(isinstance(side, int) and 0 < side < 4096 for side in sides):
            raise ValueError("no picture")

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height on the page."""
        most = LARGE if self.large else SMALL
        scale = most / max(self.width, self.height)
        return max(1, round(self.width * scale)), max(1, round(self.height * scale))


@dataclass(frozen=True)
class Strip:
    """Pictures side by side, and what they have in common."""

    name: str
    pictures: Sequence[Picture]


@dataclass(frozen=True)
class Gallery:
    """Strips of pictures, one under another."""

    strips: Sequence[Strip]
