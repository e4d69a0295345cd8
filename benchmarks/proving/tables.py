"""Data sets to make ledgers of: samples of the weather that share no row, and tables drawn at will."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import polars as pl

from aurify.core import rng
from benchmarks.planting.bases import BASES
from benchmarks.proving.placebos import SHUFFLED

ROWS = 500
CLEAR = ("x0", "x1", "x2", "x3")
"""Columns of a drawn table that tell something, the first one most."""

FLIPPED = 0.25
"""Share of a drawn table's labels that are wrong."""


@dataclass(frozen=True)
class Kind:
    """``base`` is ``weather``, ``classes`` or ``numbers``; of a data set's ``rows`` each repeat samples ``ROWS``.

    With four times as many rows, repeats are apart.
    """

    base: str
    rows: int

    @property
    def name(self) -> str:
        return f"{self.base}, {'repeats apart' if self.rows > ROWS else 'the same rows in each repeat'}"

    @property
    def target(self) -> str:
        return "RainTomorrow" if self.base == "weather" else "y"

    def frame(self, seeds: str, first: int, number: int) -> pl.DataFrame:
        """Data set ``number`` of a stream of seeds; rows of the weather from ``first`` on, which no other one has."""
        random = np.random.default_rng(rng.key(0, f"{seeds}/{self.name}", number))
        if self.base == "weather":
            start = first + number * self.rows
            frame = _weather(seeds)[start : start + self.rows]
            assert frame.height == self.rows, "there are not so many rows of the weather"
            return _with_shuffled(frame, "Humidity3pm", random)
        return _with_shuffled(drawn(self.rows, random, classes=self.base == "classes"), "x0", random)


@cache
def _weather(seeds: str) -> pl.DataFrame:
    """All rows in an order of this stream of seeds."""
    base = next(base for base in BASES if base.name == "weather")
    frame = base.rows(np.random.default_rng(0), 10**9)
    return frame[np.random.default_rng(rng.key(0, f"{seeds}/weather")).permutation(frame.height)]


def drawn(rows: int, random: np.random.Generator, *, classes: bool) -> pl.DataFrame:
    """Eight numbers, of which four tell something, a category and ``y``: a class that is often wrong, or a number."""
    columns = {f"x{at}": random.standard_normal(rows) for at in range(8)}
    colour = random.choice(["red", "green", "blue"], rows)
    signal = np.asarray(signal_of([columns[name] for name in CLEAR]))
    noise, flipped = random.standard_normal(rows), random.random(rows) < FLIPPED
    target = ((signal > 0) != flipped).astype(int) if classes else signal + noise
    return pl.DataFrame({**columns, "colour": colour, "y": target})


def signal_of(clear: Sequence[Any]) -> Any:
    """What decides the target, from the columns ``CLEAR``, of numpy or of torch."""
    first, second, third, fourth = clear
    return first + 0.7 * second + 0.45 * third + 0.3 * fourth + 0.5 * first * second


def _with_shuffled(frame: pl.DataFrame, source: str, random: np.random.Generator) -> pl.DataFrame:
    return frame.with_columns(frame[source][random.permutation(frame.height)].alias(name) for name in SHUFFLED)
