"""Whole episodes played by somebody who decides what to do."""

# N episodes, n of them not ended yet

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from aurify.core import rng
from aurify.worlds.field import Singles, episode_seed
from aurify.worlds.world import World

Act = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Actions (n, *shape), as an environment takes them, for observations (n, *shape) of the episodes numbered (n,)."""

SIDE_BY_SIDE = 1024
"""Environments that are made at once, at most: more of them make no step of the network cheaper."""

ENDLESS = 10_000
"""Steps after which an episode is left that nothing else cuts off: who walks in circles would play for ever."""


WATCHED = 1_000
"""The same in validations: it is soon seen who goes in circles, and beginners do so in every one."""


def seeds_of(recipe_seed: int, stream: str, numbers: Iterable[int]) -> list[int]:
    """What episodes are begun with that have these numbers in a ``stream``: ``validation``, ``test`` or ``play``."""
    return [rng.key(recipe_seed, stream, int(number)) for number in numbers]


@dataclass(frozen=True, eq=False)
class Episodes:
    """Episodes (N,): ``seed`` of each, ``value`` the sum of its rewards, ``length`` its steps, how it ended."""

    seed: np.ndarray
    value: np.ndarray
    length: np.ndarray
    terminated: np.ndarray

    def __len__(self) -> int:
        return len(self.seed)


def play(
    world: World,
    seeds: Sequence[int],
    act: Act,
    check: Callable[[], None],
    side: Singles | None = None,
    endless: int = ENDLESS,
) -> Episodes:
    """Play one episode for each seed, side by side; ``check`` is called before each step and may raise.

    It is the first episode of an environment of a Field with that seed. Environments whose episode has ended are not
    stepped any more: counting all that end within some time would count short ones too often. ``side`` are environments
    of the world to play in, which stay open: some take longer to make than to play in. Where the world cuts nothing
    off, an episode is left after ``endless`` steps.
    """
    stage = side or Singles(world, min(len(seeds), SIDE_BY_SIDE))
    try:
        return _played(stage, seeds, act, check, world.limit or endless)
    finally:
        if side is None:
            stage.close()


def _played(stage: Singles, seeds: Sequence[int], act: Act, check: Callable[[], None], most: int) -> Episodes:
    count, at_once = len(seeds), len(stage.envs)
    value, length, terminated = np.zeros(count), np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool)
    for start in range(0, count, max(at_once, 1)):
        which = np.arange(start, min(count, start + at_once))
        begun = [episode_seed(int(seeds[episode]), 0) for episode in which.tolist()]
        observation = stage.begin(range(len(which)), begun)
        while len(which):
            check()
            step = stage.step_some((which - start).tolist(), act(observation, which))
            value[which] += step.reward
            length[which] += 1
            terminated[which] = step.terminated
            going = ~step.ended & (length[which] < most)
            which, observation = which[going], step.after[going]
    return Episodes(np.array(seeds, dtype=np.int64), value, length, terminated)
