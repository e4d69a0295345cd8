"""Which rows are alike: keys of rows, copies within a table, and rows of another file that were learnt from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from aurify.core.pixels import Pixels
from aurify.core.ragged import Ragged
from aurify.core.words import Said, said
from aurify.data.image_rows import ImageRows, are_images, rows_of_input
from aurify.data.packed import GOLDEN, Packed, mixed
from aurify.data.store import Asked

AT_ONCE_BYTES = 2**19
"""Of images that are gathered together: what a core keeps at hand."""

WORD_BYTES = 8


@dataclass(frozen=True, eq=False)
class Overlap:
    """Which rows asked about (M,) bool have the inputs of a row learnt from, and which of these its target too."""

    inputs: np.ndarray
    both: np.ndarray

    def say(self, what: Said) -> list[str]:
        """One line on the rows of ``what``, or none where no row was learnt from."""
        same = said(
            "{rows:,} rows {what} have the same inputs as a training row, {both:,} of them the same target too",
            rows=int(self.inputs.sum()),
            what=what,
            both=int(self.both.sum()),
        )
        return [same] if self.inputs.any() else []


def overlap(learnt: Asked, asked: Asked) -> Overlap:
    """Compare the rows of ``asked`` (M,) with those of ``learnt`` (N,)."""
    kinds = sorted(learnt.inputs)
    old, new = ([rows_of_input(each.inputs[kind], each.rows) for kind in kinds] for each in (learnt, asked))
    inputs = np.isin(row_keys(new), row_keys(old))
    old, new = (
        [*columns, each.target[each.rows].reshape(len(each.rows), -1)]
        for columns, each in ((old, learnt), (new, asked))
    )
    return Overlap(inputs, np.isin(row_keys(new), row_keys(old)))


def first_alike(keys: np.ndarray) -> np.ndarray:
    """Name each row (n,) by the first one with its key, so that one changed cell moves no other row."""
    firsts, inverse = np.unique(keys, return_index=True, return_inverse=True)[1:]
    return firsts[inverse]


def image_keys(images: np.ndarray | ImageRows | Pixels) -> np.ndarray:
    """A hash of each image (N, H, W, C) uint8, (N, 1) int64: equal images have equal keys.

    Words of eight bytes, each scattered by two multiplications that its place decides, are summed. That takes a tenth
    of what a cryptographic hash does.
    """
    keys = np.empty(len(images), dtype=np.uint64)
    words = -(-_gathered(images[:1]).nbytes // WORD_BYTES)
    place = np.arange(1, 2 * words + 1, dtype=np.uint64)
    with np.errstate(over="ignore"):
        one, two = (mixed(place * GOLDEN) | np.uint64(1)).reshape(2, words)
        at_once = max(1, AT_ONCE_BYTES // max(1, words * WORD_BYTES))
        for at in range(0, len(images), at_once):
            some = _gathered(images[at : at + at_once])
            each = some.reshape(len(some), -1)
            padded = (
                each if each.shape[1] % WORD_BYTES == 0 else np.pad(each, ((0, 0), (0, -each.shape[1] % WORD_BYTES)))
            )
            scattered = np.ascontiguousarray(padded).view("<u8") * one
            scattered ^= scattered >> np.uint64(32)
            scattered *= two
            keys[at : at + at_once] = mixed(scattered.sum(1, dtype=np.uint64) + GOLDEN)
    return keys.view(np.int64).reshape(-1, 1)


def _gathered(images: np.ndarray | ImageRows | Pixels) -> np.ndarray:
    return images.taken().cpu().numpy() if isinstance(images, Pixels) else np.asarray(images)


def row_keys(columns: Iterable[Any]) -> np.ndarray:
    """Hash each row's values, (N, C) arrays, tensors, texts or images, to a uint64 (N,): equal rows have equal keys.

    SplitMix64 (Steele et al. 2014) over the bits of every value; two different rows of a million collide with
    probability below 1e-7. Missing numbers are equal to one another, and so are 0.0 and -0.0.
    """
    keys: np.ndarray | None = None
    with np.errstate(over="ignore"):
        for values in columns:
            if isinstance(values, Ragged):
                values = Packed(values.values.numpy(), values.ends.numpy(), values.columns)
            images = isinstance(values, Pixels) or are_images(values)
            table = values.keys if isinstance(values, Packed) else image_keys(values) if images else values
            table = np.asarray(table)
            for at in range(table.shape[1]):
                column = table[:, at]
                if column.dtype.kind == "f":
                    column = np.where(np.isnan(column), np.nan, column.astype(np.float64) + 0.0)
                    bits = np.ascontiguousarray(column).view(np.uint64)
                else:
                    bits = column.astype(np.int64).view(np.uint64)
                if keys is None:
                    keys = np.zeros(len(column), dtype=np.uint64)
                keys = mixed(keys * np.uint64(31) + bits + GOLDEN)
    assert keys is not None, "rows without a column"
    return keys
