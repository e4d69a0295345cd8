"""Which rows are resampled together, because they resemble one another: those of a group, or of a stretch of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

FEW = 10
"""Clusters below which a percentile interval is known to be too narrow (Cameron, Gelbach & Miller 2008)."""

MANY_BLOCKS = 20
"""Blocks of time to have where there are times enough: longer blocks would leave too little to resample."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """The cluster (n,) of each row, None where rows stand for themselves; and what is resampled, in words."""

    codes: np.ndarray | None
    words: str

    def say(self) -> str:
        """What intervals from these clusters cover, to follow the word "intervals"."""
        if self.codes is None:
            return "cover the sampling of these rows"
        rough = "; so few make a rough interval" if len(np.unique(self.codes)) < FEW else ""
        return f"cover the sampling of these rows, resampled by {self.words}{rough}"


def clusters_of(roles: Mapping[str, np.ndarray], rows: np.ndarray) -> Clusters:
    """How ``rows`` (n,) of a table with ``roles`` (N,) are resampled."""
    if "group" in roles:
        codes = group_clusters(np.asarray(roles["group"][rows]))
        return Clusters(codes, f"{len(np.unique(codes)):,} groups")
    if "time" in roles:
        codes, length = time_blocks(np.asarray(roles["time"][rows]))
        blocks = f"{len(np.unique(codes)):,} blocks"
        return Clusters(
            codes, f"{blocks} of {length:,} consecutive times" if length > 1 else f"{blocks} of equal times"
        )
    return Clusters(None, "rows")


def group_clusters(groups: np.ndarray) -> np.ndarray:
    """Groups (n,) themselves; a row without one (-1) is a cluster of its own."""
    return np.where(groups < 0, -1 - np.arange(len(groups)), groups)


def time_blocks(times: np.ndarray) -> tuple[np.ndarray, int]:
    """Blocks (n,) of consecutive times that do not overlap (Carlstein 1986), and how many times are in most of them.

    A block grows with the cube root of the number of different times (Kuensch 1989). Rows of one time lie in one
    block; a row without a time (NaN) is a block of its own.
    """
    known = ~np.isnan(times)
    distinct, inverse = np.unique(times[known], return_inverse=True)
    count = max(len(distinct), 1)
    length = max(1, min(round(count ** (1 / 3)), count // MANY_BLOCKS))
    codes = -1 - np.arange(len(times))
    codes[known] = inverse * max(1, round(count / length)) // count
    return codes, length
