"""Room for arrays: in memory while they are small, else in a file that is mapped and gone with the array."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from aurify.core.errors import AurifyError
from aurify.core.surroundings import place

IN_MEMORY_BYTES = 2**28
"""From here on an array lies in a file."""

COPIED_BYTES = 2**24
"""Bytes that are copied at a time."""


def room(shape: tuple[int, ...]) -> np.ndarray:
    """An array of zeros, uint8; a large one is mapped from a file without a name. Raises AurifyError on a full disk."""
    size = int(np.prod(shape, dtype=object))
    if size < IN_MEMORY_BYTES:
        return np.zeros(shape, dtype=np.uint8)
    for folder in _folders():
        try:
            file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - the mapping outlives it
            with file:
                if hasattr(os, "posix_fallocate"):  # a disk that fills up under a mapping would end the process
                    os.posix_fallocate(file.fileno(), 0, size)
                return np.memmap(file, dtype=np.uint8, mode="w+", shape=shape)
        except OSError:
            continue
    raise AurifyError(
        f"the images take {size:,} bytes, which no disk here has room for; choose a smaller --size, or name a folder"
        " with room in TMPDIR"
    )


def _folders() -> Iterator[Path]:
    """Where a large file may lie, the best first: /tmp is often memory by another name."""
    chosen = place()
    if chosen is not None:
        yield next(each for each in (chosen, *chosen.parents) if each.is_dir())
    if not os.environ.get("TMPDIR") and Path("/var/tmp").is_dir():
        yield Path("/var/tmp")
    yield Path(tempfile.gettempdir())


def one_after_another(pieces: Sequence[np.ndarray]) -> np.ndarray:
    """Arrays (n, ...) uint8 as one, copied bit by bit so that memory holds little of them."""
    whole = room((sum(map(len, pieces)), *pieces[0].shape[1:]))
    step = max(1, COPIED_BYTES // max(1, pieces[0][:1].nbytes))
    first = 0
    for piece in pieces:
        for at in range(0, len(piece), step):
            cut = piece[at : at + step]
            whole[first + at : first + at + len(cut)] = cut
        first += len(piece)
    return whole
