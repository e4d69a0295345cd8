"""Which rows are resampled together, because they resemble one another: those of a group, or of a stretch of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aurify.core.words import Said, said

FEW = 10
"""Clusters below which a percentile interval is known to be too narrow (Cameron, Gelbach & Miller 2008)."""

MANY_BLOCKS = 20
"""Blocks of time to have where there are times enough: longer blocks would leave too little to resample."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """The cluster (n,) of each row, and what is resampled, in words; None and "" where rows stand for themselves."""

    codes: np.ndarray | None
    words: str

    def say(self) -> Said:
        """What intervals from these clusters cover, to follow the word "intervals"."""
        if self.codes is None:
            return said("cover the sampling of these rows")
        resampled = said("cover the sampling of these rows, resampled by {clusters}", clusters=self.words)
        few = len(np.unique(self.codes)) < FEW
        return said("{resampled}; so few make a rough interval", resampled=resampled) if few else resampled


def clusters_of(roles: Mapping[str, np.ndarray], rows: np.ndarray) -> Clusters:
    """How ``rows`` (n,) of a table with ``roles`` (N,) are resampled."""
    if "group" in roles:
        codes = group_clusters(np.asarray(roles["group"][rows]))
        return Clusters(codes, said("{count:,} groups", count=len(np.unique(codes))))
    if "time" in roles:
        codes, length = time_blocks(np.asarray(roles["time"][rows]))
        blocks = len(np.unique(codes))
        if length > 1:
            several = said("{count:,} blocks of {length:,} consecutive times", count=blocks, length=length)
            return Clusters(codes, several)
        return Clusters(codes, said("{count:,} blocks of equal times", count=blocks))
    return Clusters(None, "")


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
