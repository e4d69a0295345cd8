"""Texts in a Store: code points one after another and where each text ends, as arrays that are mapped, not read."""

# N rows, C columns of texts, T code points in all

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from aurify.core.ragged import Ragged

PRIME, GOLDEN = np.uint64(0x100000001B3), np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class Packed:
    """Columns of texts: ``values`` (T,) int32 code points, ``ends`` (1 + N * columns,) int64 as in ``Ragged``."""

    values: np.ndarray
    ends: np.ndarray
    columns: int

    @classmethod
    def of(cls, columns: Sequence[Sequence[str]]) -> Packed:
        """Pack columns, each with a text a row."""
        texts = [text for row in zip(*columns, strict=True) for text in row]
        whole = "".join(texts).encode("utf-32-le", errors="surrogatepass")
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        return cls(np.frombuffer(whole, dtype="<i4").astype(np.int32), _ends(lengths), len(columns))

    def __len__(self) -> int:
        return (len(self.ends) - 1) // max(1, self.columns)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self), self.columns

    @property
    def lengths(self) -> np.ndarray:
        """Characters of each text (N, C)."""
        return np.diff(self.ends).reshape(-1, self.columns)

    def __getitem__(self, rows: np.ndarray | slice) -> Packed:
        """Rows by position, mask or slice, copied."""
        chosen = np.arange(len(self))[rows]
        which = (chosen[:, None] * self.columns + np.arange(self.columns)).ravel()
        return self._taking(which, self.columns)

    def _taking(self, which: np.ndarray, columns: int) -> Packed:
        lengths = np.diff(self.ends)[which]
        ends = _ends(lengths)
        shift = np.repeat(self.ends[which] - ends[:-1], lengths)
        return Packed(self.values[np.arange(len(shift)) + shift], ends, columns)

    def only(self, at: int) -> Packed:
        """One column, packed."""
        return self._taking(np.arange(len(self)) * self.columns + at, 1)

    def column(self, at: int) -> list[str]:
        """The texts of one column."""
        alone = self.only(at)
        whole = alone.values.astype("<u4").tobytes().decode("utf-32-le", errors="surrogatepass")
        ends = alone.ends.tolist()
        return [whole[start:end] for start, end in itertools.pairwise(ends)]

    def blanked(self, columns: Sequence[int]) -> Packed:
        """The same with every text of some columns empty."""
        lengths = self.lengths.copy()
        kept = np.ones_like(lengths, dtype=bool)
        kept[:, list(columns)] = False
        values = self.values[np.repeat(kept.ravel(), lengths.ravel())]
        return Packed(values, _ends(np.where(kept, lengths, 0).ravel()), self.columns)

    def replaced(self, at: int, texts: Sequence[str]) -> Packed:
        """The same with other texts (N,) in one column."""
        return Packed.of([texts if k == at else self.column(k) for k in range(self.columns)])

    @property
    def keys(self) -> np.ndarray:
        """A hash of each text (N, C) int64: equal texts have equal keys.

        The sum of its characters, each scattered together with its place. A polynomial would be the same for texts
        that are made so (Thue and Morse's sequence and its mirror).
        """
        with np.errstate(over="ignore"):
            lengths = np.diff(self.ends)
            place = np.arange(len(self.values)) - np.repeat(self.ends[:-1], lengths)
            each = mixed(self.values.astype(np.uint64) * GOLDEN + place.astype(np.uint64) * PRIME)
            sums = np.concatenate([[np.uint64(0)], each.cumsum(dtype=np.uint64)])
            keys = mixed(sums[self.ends[1:]] - sums[self.ends[:-1]] + lengths.astype(np.uint64))
        return keys.view(np.int64).reshape(-1, self.columns)

    @property
    def ragged(self) -> Ragged:
        """The same as tensors."""
        import torch  # new data is parsed where there is no torch too

        from aurify.core.ragged import Ragged

        values = np.array(self.values, dtype=np.int32)
        return Ragged(torch.from_numpy(values), torch.from_numpy(np.array(self.ends)), self.columns)


def stacked(pieces: Sequence[Packed]) -> Packed:
    """Rows one after another."""
    lengths = np.concatenate([np.diff(p.ends) for p in pieces])
    return Packed(np.concatenate([p.values for p in pieces]), _ends(lengths), pieces[0].columns)


def _ends(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


def mixed(z: np.ndarray) -> np.ndarray:
    """Numbers uint64 scattered over all of 64 bits: the finaliser of SplitMix64 (Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
