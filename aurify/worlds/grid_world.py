"""A grid to find a way through: aurify's own environment, one at a time and many side by side."""

# N environments

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from aurify.core.errors import AurifyError
from aurify.worlds.grid import DIRECTIONS, Grid, Outcome
from aurify.worlds.streams import Streams

ID = "aurify/GridWorld-v0"

LIMIT = 200
"""Steps of an episode, where nobody says how many."""


def register() -> None:
    """Make Gymnasium know the grid world; a second time changes nothing."""
    if ID not in gymnasium.registry:
        here = GridWorld.__module__
        gymnasium.register(
            ID,
            entry_point=f"{here}:{GridWorld.__name__}",
            vector_entry_point=f"{here}:{GridWorldVectorEnv.__name__}",
            max_episode_steps=LIMIT,
        )


class GridWorld(gymnasium.Env[int, int]):
    """Find the goal and stay out of the traps. Settings are those of ``Grid``.

    An observation is the number of the agent's cell, row by row; actions are 0 left, 1 down, 2 right and 3 up. ``P``
    and ``initial_state_distrib`` are the model as Gymnasium's toy environments tell theirs.
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 4}

    def __init__(self, render_mode: str | None = None, **settings: Any):
        self.grid, self.render_mode = Grid.of(settings), render_mode
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise AurifyError(f"render_mode = {render_mode!r}: a grid world is drawn as ansi or as rgb_array")
        self.observation_space: spaces.Space[Any] = spaces.Discrete(self.grid.kinds.size)
        self.action_space: spaces.Space[Any] = spaces.Discrete(len(DIRECTIONS))
        self.cell = self.grid.number(self.grid.start)

    @property
    def P(self) -> dict[int, dict[int, list[Outcome]]]:  # noqa: N802 (as Gymnasium calls it)
        """By cell and action: chance, next cell, reward, whether the episode ends."""
        return self.grid.outcomes

    @property
    def initial_state_distrib(self) -> np.ndarray:
        """The chance (S,) that an episode begins in a cell."""
        return np.eye(1, self.grid.kinds.size, self.grid.number(self.grid.start))[0]

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.cell = self.grid.number(self.grid.start)
        return self.cell, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        grid, draw = self.grid, np.array(self.np_random.random())
        way = int(grid.directions(_legal(np.array(action)), draw))
        reward, self.cell = float(grid.reward[self.cell, way]), int(grid.after[self.cell, way])
        return self.cell, reward, bool(grid.ends[self.cell]), False, {}

    def render(self) -> Any:
        """The grid with the agent: a text or (height, width, 3) uint8, as ``render_mode`` says."""
        if self.render_mode is None:
            gymnasium.logger.warn(f"nothing is drawn without a render_mode: gymnasium.make({ID!r}, render_mode='ansi')")
            return None
        return self.grid.text(self.cell) if self.render_mode == "ansi" else self.grid.picture(self.cell)


class GridWorldVectorEnv(VectorEnv[np.ndarray, np.ndarray, np.ndarray]):
    """Many grid worlds stepped together: what ``SyncVectorEnv`` of ``GridWorld`` does, number by number, in less time.

    Every environment has a stream of random numbers of its own, which its seed decides alone. ``state`` is plain data.
    """

    def __init__(
        self,
        num_envs: int = 1,
        max_episode_steps: int | None = LIMIT,
        render_mode: str | None = None,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        **settings: Any,
    ):
        one = GridWorld(render_mode, **settings)
        self.grid, self.render_mode = one.grid, render_mode
        self.num_envs, self.limit, self.mode = num_envs, max_episode_steps, AutoresetMode(autoreset_mode)
        self.metadata = {**one.metadata, "autoreset_mode": self.mode}
        self.single_observation_space, self.single_action_space = one.observation_space, one.action_space
        self.observation_space = batch_space(one.observation_space, num_envs)
        self.action_space = batch_space(one.action_space, num_envs)
        self._begins = one.cell
        self._cell = np.full(num_envs, self._begins, dtype=np.int64)
        self._steps = np.zeros(num_envs, dtype=np.int64)
        self._ended = np.zeros(num_envs, dtype=bool)
        self._streams = Streams(num_envs)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin anew: all environments, or those of ``options["reset_mask"]`` (N,) bool.

        ``seed`` is one for all, which go on counting from it, or one each; without one a stream goes on where it was.
        """
        seeds = [seed] * self.num_envs if seed is None else seed
        seeds = range(seeds, seeds + self.num_envs) if isinstance(seeds, int) else seeds
        if len(seeds) != self.num_envs:
            raise ValueError(f"{len(seeds)} seeds were given for {self.num_envs} environments")
        which = (options or {}).get("reset_mask", np.ones(self.num_envs, dtype=bool))
        for at in np.flatnonzero(which).tolist():
            if seeds[at] is not None or self._streams.seed[at] is None:
                self._streams.begin(at, seeds[at])
        self._begin(which)
        self._ended = self._ended & ~which
        return self._cell.copy(), {}

    def step(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Take an action (N,) in each environment; what follows an end is as the autoreset mode says."""
        waits = self._ended if self.mode == AutoresetMode.NEXT_STEP else np.zeros(self.num_envs, dtype=bool)
        assert not (self._ended & ~waits).any(), "an ended episode goes on"
        way = self.grid.directions(_legal(np.where(waits, 0, actions)), self._streams.drawn(~waits))
        reward = np.where(waits, 0.0, self.grid.reward[self._cell, way])
        self._cell = np.where(waits, self._begins, self.grid.after[self._cell, way])
        self._steps = np.where(waits, 0, self._steps + 1)
        terminated = self.grid.ends[self._cell]
        truncated = self._steps >= self.limit if self.limit is not None else np.zeros_like(terminated)
        ended, told = terminated | truncated, {}
        if self.mode == AutoresetMode.SAME_STEP and ended.any():
            final = np.full(self.num_envs, None, dtype=object)
            final[ended] = self._cell[ended].tolist()
            told = {"final_obs": final, "final_info": {}, "_final_obs": ended, "_final_info": ended.copy()}
            self._begin(ended)
        self._ended = np.zeros_like(ended) if told else ended
        return self._cell.copy(), reward, terminated, truncated, told

    def render(self) -> Any:
        """What each environment looks like, N texts or pictures."""
        drawn = self.grid.text if self.render_mode == "ansi" else self.grid.picture
        return tuple(drawn(cell) for cell in self._cell.tolist())

    def state(self) -> dict[str, list[Any]]:
        """Where every environment is, and its stream, as lists of N plain values."""
        counted = {"cell": self._cell, "steps": self._steps, "ended": self._ended, "used": self._streams.used}
        return {name: values.tolist() for name, values in counted.items()} | {"seed": list(self._streams.seed)}

    def restore(self, state: Mapping[str, Sequence[Any]]) -> None:
        """Go on from a ``state``."""
        self._cell, self._steps = (np.array(state[name], dtype=np.int64) for name in ("cell", "steps"))
        self._ended = np.array(state["ended"], dtype=bool)
        for at, (seed, used) in enumerate(zip(state["seed"], state["used"], strict=True)):
            self._streams.begin(at, seed, used)

    def _begin(self, which: np.ndarray) -> None:
        self._cell[which], self._steps[which] = self._begins, 0


def _legal(actions: np.ndarray) -> np.ndarray:
    if (wrong := (actions < 0) | (actions >= len(DIRECTIONS))).any():
        known = ", ".join(f"{at} {direction}" for at, direction in enumerate(DIRECTIONS))
        raise AurifyError(f"action {actions[wrong][0]} is none of a grid world's: {known}")
    return actions
