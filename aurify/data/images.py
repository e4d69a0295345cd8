"""Images of files, of bytes or in memory, brought into one form as arrays (N, H, W, C) uint8."""

from __future__ import annotations

import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aurify.core.cores import cores
from aurify.core.surroundings import tell
from aurify.core.words import Said, said
from aurify.data.image_cells import MAGIC, cells
from aurify.data.image_files import MOST_PIXELS as MOST_PIXELS  # told with what it limits
from aurify.data.image_files import about, reason_of
from aurify.data.image_fitting import fitted
from aurify.data.image_form import ASPECTS, MOST_SIDE, Form
from aurify.data.room import room

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl

FORMATS = tuple(dict.fromkeys(MAGIC.values()))
"""What is decoded: each by its own reader, and nothing else."""

LOOKED_AT = 500
"""Images that are measured to choose a form."""

LARGEST_SIDE = 128
"""Of a form that is chosen by the data."""

NEAR_SQUARE = 1.5
"""Images whose sides are in no greater ratio are made square; of others the form is as long as most are."""

NEARLY_ALL = 0.9
"""Of the images: so many must have a size for it to be that of all."""

CHUNK = 256


@dataclass(frozen=True)
class Decoded:
    """Images (N, H, W, C) uint8, and why some could not be read (their row: a reason); those are black."""

    images: np.ndarray
    unread: dict[int, Said]


def form_of(values: pl.Series, size: int | None, aspect: str, folder: str | None = None) -> Form:
    """The form that suits these images: their own size where nearly all have one that is small, else the median side.

    Images of which most are long keep their shape. Paths are looked for in ``folder`` first.
    """
    if values.dtype.is_nested() and hasattr(values.dtype, "shape"):  # arrays as they are
        height, width, *channels = values.dtype.shape  # type: ignore[attr-defined]
        own = [(width, height, (channels or [1])[0] == 1)]
    else:
        step = max(1, len(values) // LOOKED_AT)
        with _silent():
            own = [each for value in cells(values.gather_every(step)) if (each := about(value, folder)) is not None]
    gray = bool(own) and all(each[2] for each in own)
    sides = Counter((height, width) for width, height, _ in own)
    if size is not None:
        height = width = size
    elif sides and (first := sides.most_common(1)[0])[1] >= NEARLY_ALL * len(own) and max(first[0]) <= LARGEST_SIDE:
        height, width = first[0]
    else:
        height, width = _middle(own)
    return Form(
        min(height, MOST_SIDE), min(width, MOST_SIDE), 1 if gray else 3, ASPECTS[0] if aspect == "auto" else aspect
    )


def _middle(own: Sequence[tuple[int, int, bool]]) -> tuple[int, int]:
    """Height and width that suit images of different sizes: those of the median, square where that nearly is."""
    if not own:
        return 32, 32
    ratio = float(np.median([width / height for width, height, _ in own]))
    side = _rounded(float(np.median([min(each[:2]) for each in own])))
    if 1 / NEAR_SQUARE <= ratio <= NEAR_SQUARE:
        return side, side
    short = min(float(side), LARGEST_SIDE / max(ratio, 1 / ratio))
    long = _rounded(short * max(ratio, 1 / ratio))
    return (_rounded(short), long) if ratio > 1 else (long, _rounded(short))


def _rounded(side: float) -> int:
    return int(min(LARGEST_SIDE, max(16, 16 * round(side / 16))))


def decoded(values: pl.Series, form: Form, folder: str | None = None) -> Decoded:
    """Bring every image into a form: paths, bytes of files, or arrays (H, W) and (H, W, C) of bytes.

    How far it is, is told on the way (``core.surroundings``).
    """
    images = room((len(values), *form.shape))
    unread: dict[int, Said] = {}
    own = getattr(values.dtype, "shape", None)
    whole = own is not None and not values.null_count() and own in (form.shape, form.shape[: 4 - form.channels])

    def some(start: int) -> int:
        piece = values[start : start + CHUNK]
        if whole:
            images[start : start + CHUNK] = piece.to_numpy().reshape(-1, *form.shape)
            return len(piece)
        for at, value in enumerate(cells(piece), start):
            try:
                images[at] = fitted(value, form, folder)
            except Exception as error:  # decoders fail in many ways
                unread[at] = reason_of(error)
        return len(piece)

    done, threads = 0, ThreadPoolExecutor(cores())
    with _silent():
        try:
            for count in threads.map(some, range(0, len(images), CHUNK)):
                done += count
                tell(said("reading images"), done, len(images))
        finally:
            threads.shutdown(cancel_futures=True)
    return Decoded(images, dict(sorted(unread.items())))


@contextmanager
def _silent() -> Iterator[None]:
    """Without the warnings of readers: what is wrong with a file is said once, by us."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
