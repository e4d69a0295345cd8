"""The policy that does anything equally often: what every other one has to beat."""

# N episodes, n of them not ended yet, a numbers of one action

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from aurify.core import rng
from aurify.worlds.episodes import Act
from aurify.worlds.streams import Streams
from aurify.worlds.world import World


def at_random(world: World, seeds: Sequence[int]) -> Act:
    """Actions of episodes with these seeds (N,), of each from a stream of its own: every one with the same chance.

    Numbers are drawn evenly between their bounds; where nothing bounds them normally, and exponentially from the one
    bound that there is, as Gymnasium samples them.
    """
    actions, streams = world.actions, Streams(len(seeds))
    for at, seed in enumerate(seeds):
        streams.begin(at, rng.key(int(seed), "random policy"))
    size = math.prod(actions.shape)

    def act(observations: np.ndarray, which: np.ndarray) -> np.ndarray:
        mine = np.zeros(len(seeds), dtype=bool)
        mine[which] = True
        drawn = np.stack([streams.drawn(mine)[which] for _ in range(size)], axis=1)
        if actions.count is not None:
            return actions.to_world((drawn[:, 0] * actions.count).astype(np.int64))
        return actions.to_world(_spread(drawn, np.array(actions.low), np.array(actions.high)))

    return act


def _spread(drawn: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Numbers (n, a) from [0, 1) spread over what lies between the bounds (a,)."""
    from scipy.special import ndtri

    below, above = np.isfinite(low), np.isfinite(high)
    with np.errstate(invalid="ignore", over="ignore"):  # where a bound is infinite another line holds
        even, tail = low + drawn * (high - low), -np.log1p(-drawn)
    normal = ndtri(drawn + 2.0**-54)
    return np.select([below & above, below, above], [even, low + tail, high - tail], normal)
