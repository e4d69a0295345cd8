"""A stream of random numbers for each of many environments: drawn together, each decided by its own seed alone."""

# N streams

from __future__ import annotations

import numpy as np

AHEAD = 64
"""Numbers that a stream draws at a time."""


class Streams:
    """What ``env.np_random.random()`` of N environments would draw, a number of each at a time.

    ``seed`` are the seeds that the streams began with, ``used`` (N,) int64 how many of its numbers each has given.
    """

    def __init__(self, count: int):
        self.seed: list[int | None] = [None] * count
        self.used = np.zeros(count, dtype=np.int64)
        self._random: dict[int, np.random.Generator] = {}
        self._ahead = np.zeros((count, AHEAD))
        self._place = np.full(count, AHEAD, dtype=np.int64)  # of the next number among those drawn ahead

    def begin(self, at: int, seed: int | None, used: int = 0) -> None:
        """Begin a stream, or go on after ``used`` of its numbers; without a seed with one that nobody can foretell."""
        from gymnasium.utils import seeding  # of an extra: imported when it is needed

        self._random[at], self.seed[at] = seeding.np_random(seed)
        bits = self._random[at].bit_generator
        assert isinstance(bits, np.random.PCG64)
        bits.advance(used)  # a number is one step of this generator
        self.used[at], self._place[at] = used, AHEAD

    def drawn(self, which: np.ndarray) -> np.ndarray:
        """A number (N,) from [0, 1) of every stream, used up in those of ``which`` (N,) bool; of others it is none."""
        for at in np.flatnonzero(which & (self._place == AHEAD)).tolist():
            self._ahead[at], self._place[at] = self._random[at].random(AHEAD), 0
        drawn = self._ahead[np.arange(len(which)), self._place.clip(max=AHEAD - 1)]
        self._place += which
        self.used += which
        return drawn
