"""What acting led to, in many environments at once."""

# N environments

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Step:
    """What an action of each environment led to.

    ``reward`` (N,) float64, ``after`` (N, *shape) the observation, of an episode that ended its last one,
    ``terminated`` and ``truncated`` (N,) bool: both may be true, and then the episode has terminated.
    """

    reward: np.ndarray
    after: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray

    @property
    def ended(self) -> np.ndarray:
        """Which episodes (N,) are over, whyever."""
        return self.terminated | self.truncated
