"""What is recorded of episodes: an animated GIF of what a world draws, or its texts."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aurify.core.errors import AurifyError
from aurify.core.files import write_bytes
from aurify.report.text_frames import marked

if TYPE_CHECKING:
    from PIL import Image

LONGEST_SIDE = 400
"""Of a picture in a recording, in pixels; larger ones are made smaller."""

MOST_PICTURES = 900
"""In one recording; of longer ones every second moment is kept, or every third, and so on."""

COLOURS = 128

FASTEST = 50.0
"""Pictures a second that every viewer shows."""

REST_SECONDS = 1.0
"""How long the last picture of an episode stays."""


class Recording:
    """Pictures or texts of episodes as they are played, and one file of them in the end."""

    def __init__(self, path: Path, frames_a_second: float):
        self.path = path
        self.every = max(1, round(frames_a_second / FASTEST))
        self.seconds = self.every / frames_a_second
        self.shown: list[tuple[Image.Image | str, bool]] = []
        self._moment = 0

    def add(self, picture: np.ndarray | str | None, *, last: bool) -> None:
        """Take what a world drew; ``last`` of its episode."""
        if picture is None:
            raise AurifyError("the world drew nothing: its render() gave back None")
        if last or self._moment % self.every == 0:
            self.shown.append((picture if isinstance(picture, str) else _small(picture), last))
        self._moment = 0 if last else self._moment + 1
        if len(self.shown) > 2 * MOST_PICTURES:
            self._thin()

    def _thin(self) -> None:
        """Every second moment and each last one."""
        self.shown = [each for at, each in enumerate(self.shown) if each[1] or at % 2 == 0]
        self.every, self.seconds = 2 * self.every, 2 * self.seconds

    def write(self) -> int:
        """Write the file and return how many pictures it has."""
        while len(self.shown) > MOST_PICTURES and not all(last for _, last in self.shown):
            self._thin()
        if self.path.suffix == ".txt":
            write_bytes(self.path, ("\n\n".join(marked(str(each)) for each, _ in self.shown) + "\n").encode())
            return len(self.shown)
        texts = [each for each, _ in self.shown if isinstance(each, str)]
        pictures = list(_written(texts)) if texts else [each for each, _ in self.shown if not isinstance(each, str)]
        file = io.BytesIO()
        pictures[0].save(
            file,
            format="GIF",
            save_all=True,
            append_images=pictures[1:],
            duration=[round(1000 * (REST_SECONDS if last else self.seconds)) for _, last in self.shown],
            loop=0,
            disposal=1,
        )
        write_bytes(self.path, file.getvalue())
        return len(pictures)


def _small(picture: np.ndarray) -> Image.Image:
    from PIL import Image

    image = Image.fromarray(np.asarray(picture, dtype=np.uint8))
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return image.quantize(COLOURS)


def _written(texts: Sequence[str]) -> Iterator[Image.Image]:
    """Texts as pictures of one size."""
    from PIL import Image, ImageDraw, ImageFont

    font, plain = ImageFont.load_default(16), [marked(text) for text in texts]
    measure = ImageDraw.Draw(Image.new("L", (1, 1)))
    boxes = [measure.multiline_textbbox((0, 0), text, font=font) for text in plain]
    size = tuple(int(max(box[at] for box in boxes)) + 20 for at in (2, 3))
    for text in plain:
        image = Image.new("L", (size[0], size[1]), 255)
        ImageDraw.Draw(image).multiline_text((10, 10), text, fill=0, font=font)
        yield image.quantize(8)
