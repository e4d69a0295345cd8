"""Many of Gymnasium's toy environments stepped together, by the table that each of them tells of itself."""

# N environments, S states, K actions, O outcomes of one

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from aurify.worlds.exact import Model, model_of
from aurify.worlds.step import Step
from aurify.worlds.streams import Streams

if TYPE_CHECKING:
    from aurify.worlds.world import World

HOME = "gymnasium.envs.toy_text."
"""Environments from here look up what follows in ``P``, with one random number a step and one an episode."""


class Told:
    """What the environments would do one after another, number by number, in a fraction of the time.

    ``state`` is plain data.
    """

    def __init__(self, model: Model, limit: int | None, count: int):
        self.model, self.limit = model, limit
        self._upto, self._begins = model.chance.cumsum(2), model.start.cumsum()
        self._at, self._steps = np.zeros((2, count), dtype=np.int64)
        self._streams, self._every = Streams(count), np.ones(count, dtype=bool)

    @classmethod
    def of(cls, world: World, count: int) -> Self | None:
        """``count`` environments of a world; None where they may do otherwise than a table says."""
        env = world.make()
        home = type(env.unwrapped).__module__
        env.close()
        model = model_of(world) if home.startswith(HOME) else None
        return None if model is None else cls(model, world.limit, count)

    def begin(self, which: Sequence[int], seeds: Sequence[int]) -> np.ndarray:
        """Begin an episode in some of them; their first states (n,)."""
        index, chosen = np.array(which, dtype=np.int64), np.zeros(len(self._every), dtype=bool)
        chosen[index] = True
        for env, seed in zip(which, seeds, strict=True):
            self._streams.begin(env, seed)
        draw = self._streams.drawn(chosen)[index]
        self._at[index], self._steps[index] = (self._begins > draw[:, None]).argmax(1), 0
        return self._at[index]

    def step(self, actions: np.ndarray) -> Step:
        """Take an action (N,) in each."""
        model, draw = self.model, self._streams.drawn(self._every)
        outcome = (self._upto[self._at, actions] > draw[:, None]).argmax(1)
        taken = self._at, actions, outcome
        self._at, self._steps = model.after[taken], self._steps + 1
        cut = self._steps >= self.limit if self.limit is not None else np.zeros_like(self._every)
        return Step(model.reward[taken], self._at.copy(), model.ends[taken], cut)

    def state(self) -> dict[str, list[Any]]:
        """Where every environment is, and its stream, as lists of N plain values."""
        counted = {"at": self._at, "steps": self._steps, "used": self._streams.used}
        return {name: values.tolist() for name, values in counted.items()} | {"seed": list(self._streams.seed)}

    def restore(self, state: Mapping[str, Sequence[Any]]) -> None:
        """Go on from a ``state``."""
        self._at, self._steps = (np.array(state[name], dtype=np.int64) for name in ("at", "steps"))
        for env, (seed, used) in enumerate(zip(state["seed"], state["used"], strict=True)):
            self._streams.begin(env, seed, used)

    def close(self) -> None:
        """Nothing is open."""
