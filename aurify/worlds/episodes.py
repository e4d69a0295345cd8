"""Whole episodes played by somebody who decides what to do."""

# N episodes, n of them not ended yet

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from aurify.worlds.field import Singles, episode_seed
from aurify.worlds.world import World

Act = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Actions (n, *shape), as an environment takes them, for observations (n, *shape) of the episodes numbered (n,)."""

SIDE_BY_SIDE = 256
"""Environments that there are at once: more of them make no step of the network cheaper."""


@dataclass(frozen=True, eq=False)
class Episodes:
    """Episodes (N,): ``seed`` of each, ``value`` the sum of its rewards, ``length`` its steps, how it ended."""

    seed: np.ndarray
    value: np.ndarray
    length: np.ndarray
    terminated: np.ndarray

    def __len__(self) -> int:
        return len(self.seed)


def play(world: World, seeds: Sequence[int], act: Act, check: Callable[[], None]) -> Episodes:
    """Play one episode for each seed, side by side; ``check`` is called before each step and may raise.

    It is the first episode of an environment of a Field with that seed. Environments whose episode has ended are not
    stepped any more: counting all that end within some time would count short ones too often.
    """
    count = len(seeds)
    value, length, terminated = np.zeros(count), np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool)
    side = Singles(world, min(count, SIDE_BY_SIDE))
    try:
        for start in range(0, count, SIDE_BY_SIDE):
            which = np.arange(start, min(count, start + SIDE_BY_SIDE))
            begun = [episode_seed(int(seeds[episode]), 0) for episode in which.tolist()]
            observation = side.begin(range(len(which)), begun)
            while len(which):
                check()
                step = side.step_some((which - start).tolist(), act(observation, which))
                value[which] += step.reward
                length[which] += 1
                terminated[which] = step.terminated
                going = ~step.ended
                which, observation = which[going], step.after[going]
    finally:
        side.close()
    return Episodes(np.array(seeds, dtype=np.int64), value, length, terminated)
