"""The tiny tables that every check trains on."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl

KINDS = ("classify", "regress")
ROWS, COPIES = 240, 24


def small_frame(kind: str, seed: int = 0) -> pl.DataFrame:
    """240 rows: numbers, categories (some rare) and dates with gaps, 24 exact copies; target ``y``."""
    import polars as pl

    random = np.random.default_rng(seed)
    a, b, c = random.normal(size=ROWS), random.exponential(size=ROWS), random.integers(0, 4, ROWS)
    colour = random.choice(["red", "green", "blue", "rare"], ROWS, p=[0.4, 0.3, 0.28, 0.02])
    shape = random.choice(["round", "square"], ROWS)
    signal = a - 0.5 * b + 0.4 * c + (colour == "red") - 0.7 * (shape == "round")
    value = 2 + signal + 0.3 * random.normal(size=ROWS)
    target = np.select([value < 1.2, value < 2.6], ["low", "mid"], "top") if kind == "classify" else value
    frame = pl.DataFrame(
        {
            "a": [None if gone else v for v, gone in zip(a.tolist(), random.random(ROWS) < 0.1, strict=True)],
            "b": b,
            "c": c,
            "colour": [
                None if gone else v for v, gone in zip(colour.tolist(), random.random(ROWS) < 0.08, strict=True)
            ],
            "shape": shape,
            "day": _moments(seed),
            "y": target,
        }
    )
    return pl.concat([frame.head(ROWS - COPIES), frame.head(COPIES)])


def _moments(seed: int) -> list[datetime.datetime | None]:
    """Minutes of three days, drawn by themselves so that the other columns stay as they are without them."""
    random = np.random.default_rng((seed, 1))
    first = datetime.datetime(2021, 2, 26)
    moments = [first + datetime.timedelta(minutes=at) for at in random.integers(0, 3 * 1440, ROWS).tolist()]
    return [None if gone else at for at, gone in zip(moments, random.random(ROWS) < 0.06, strict=True)]
