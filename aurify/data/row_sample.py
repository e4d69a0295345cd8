"""A uniform sample of rows that come piece by piece, so that memory holds no more of them than are wanted."""

# numpy and what brings torch are imported where rows are drawn: who reads all rows waits for neither

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

EVERY = sys.maxsize
"""A sample of this many rows is all of them."""

SLACK = 1.25
"""Times the rows wanted that are held before the others are let go."""

HIGHEST = 2**64 - 1


@dataclass(frozen=True, eq=False)
class Drawn:
    """Rows of a source that has ``count``: ``rows`` (n,) are their numbers in it, None where all were asked for."""

    frame: pl.DataFrame
    count: int
    rows: np.ndarray | None = None

    def kept(self, chosen: np.ndarray) -> Drawn:
        """Without the rows that are not ``chosen`` (n,)."""
        import numpy as np

        assert self.rows is not None
        return Drawn(self.frame[np.flatnonzero(chosen)], self.count, self.rows[chosen])


@dataclass(eq=False)
class _Piece:
    """Rows that came together: the first one's number, and which of them (n,) are held; None is all."""

    frame: pl.DataFrame
    first: int
    held: np.ndarray | None = None

    @property
    def rows(self) -> np.ndarray:
        import numpy as np

        return self.first + (np.arange(self.frame.height) if self.held is None else self.held)

    def keep(self, chosen: np.ndarray) -> None:
        """Let go of the rows that are not ``chosen`` (n,)."""
        import numpy as np

        self.held = np.flatnonzero(chosen) if self.held is None else self.held[chosen]
        self.frame = self.frame[np.flatnonzero(chosen)]


class RowSample:
    """Holds the ``most`` rows whose keys are lowest, in their order (bottom-k; Cohen & Kaplan 2007).

    A key depends on the row's number alone, so that the sample is uniform and always the same, however the rows come.
    ``first`` is the number of the first row. Nothing is drawn while the rows are no more than are wanted.
    """

    def __init__(self, most: int, first: int = 0):
        self.count = 0
        self.most, self._first = most, first
        self._held = 0
        self._highest = HIGHEST
        self._pieces: dict[int, _Piece] = {}

    def add(self, place: int, frame: pl.DataFrame) -> None:
        """The rows that follow; ``place`` is what ``renew`` will call them."""
        piece = _Piece(frame, self._first + self.count)
        self.count += frame.height
        if self._highest < HIGHEST:
            piece.keep(keys(piece.rows) <= self._highest)
        self._pieces[place] = piece
        self._held += piece.frame.height
        if self._held > SLACK * self.most:
            self._thin()

    def renew(self, place: int, frame: pl.DataFrame) -> None:
        """Columns of the rows at ``place``, all that came there, in place of those that came first."""
        piece = self._pieces[place]
        late = frame if piece.held is None else frame[piece.held]
        piece.frame = piece.frame.with_columns(late.get_columns())

    def drawn(self) -> Drawn:
        """The sample; something must have come, if only a table without rows."""
        import polars as pl

        if self._held > self.most:
            self._thin()
        every = list(self._pieces.values())
        pieces = [piece for piece in every if piece.frame.height] or every[:1]
        frame = pl.concat([piece.frame for piece in pieces], how="vertical_relaxed", rechunk=False)
        if self.most == EVERY:
            return Drawn(frame, self.count)
        import numpy as np

        return Drawn(frame, self.count, np.concatenate([piece.rows for piece in pieces]))

    def _thin(self) -> None:
        pieces = list(self._pieces.values())
        every = [keys(piece.rows) for piece in pieces]
        self._highest = _highest(every, self.most)
        for piece, own in zip(pieces, every, strict=True):
            piece.keep(own <= self._highest)
        self._held = sum(piece.frame.height for piece in pieces)


def lowest(pieces: list[Drawn], most: int) -> list[Drawn]:
    """Samples of tables that follow one another, without the rows that are not among the ``most`` lowest of all."""
    if sum(piece.frame.height for piece in pieces) <= most:
        return pieces
    every = [keys(piece.rows) for piece in pieces if piece.rows is not None]
    highest = _highest(every, most)
    return [piece.kept(own <= highest) for piece, own in zip(pieces, every, strict=True)]


def rows_of(pieces: list[Drawn]) -> np.ndarray | None:
    """The numbers of rows of tables that were numbered on from one another; None where all were asked for."""
    import numpy as np

    rows = [piece.rows for piece in pieces if piece.rows is not None]
    return np.concatenate(rows) if rows else None


def numbered(pieces: list[Drawn]) -> np.ndarray | None:
    """The numbers of rows whose tables follow one another, as if all of their rows were here; None where they are."""
    if all(piece.rows is None or piece.frame.height == piece.count for piece in pieces):
        return None
    import numpy as np

    begins = np.cumsum([0, *(piece.count for piece in pieces)])
    return np.concatenate([b + p.rows for b, p in zip(begins, pieces, strict=False) if p.rows is not None])


def keys(rows: np.ndarray) -> np.ndarray:
    """64 random bits (n,) for each row number (n,), as SplitMix64 mixes a counter (Steele, Lea & Flood 2014)."""
    import numpy as np

    from aurify.core import rng

    bits = rows.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(rng.key(0, "rows"))
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _highest(every: list[np.ndarray], most: int) -> np.uint64:
    """The highest of the ``most`` lowest keys."""
    import numpy as np

    return np.partition(np.concatenate(every), most - 1)[most - 1]
