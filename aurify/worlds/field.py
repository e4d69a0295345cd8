"""The Field: environments side by side, each begun anew when its episode has ended, by seeds that are known."""

# N environments

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
import torch

from aurify.core import rng
from aurify.core.errors import AurifyError
from aurify.worlds.naming import failed
from aurify.worlds.step import Step
from aurify.worlds.told import Told
from aurify.worlds.world import World

if TYPE_CHECKING:
    import gymnasium
    from gymnasium.vector import VectorEnv


class Finished(NamedTuple):
    """An episode that is over: of which environment, its number there, the sum of its rewards and its steps."""

    environment: int
    episode: int
    value: float
    length: int


def episode_seed(seed: int, episode: int) -> int:
    """What an environment's episode is begun with: the same wherever and whenever it is played."""
    return rng.key(seed, "episode", episode) % 2**31


class Side(Protocol):
    """Environments that are stepped together; episodes are begun when the Field says so."""

    def begin(self, which: Sequence[int], seeds: Sequence[int]) -> np.ndarray:
        """Begin an episode in some of them; their first observations (n, *shape)."""
        ...

    def step(self, actions: np.ndarray) -> Step: ...

    def close(self) -> None: ...


class Singles:
    """Environments one after another."""

    def __init__(self, world: World, count: int):
        self.world, self.observed = world, world.observed
        self.envs: list[gymnasium.Env[Any, Any]] = [world.make() for _ in range(count)]

    def begin(self, which: Sequence[int], seeds: Sequence[int]) -> np.ndarray:
        first = np.empty((len(which), *self.observed.shape), dtype=self.observed.dtype)
        try:
            for at, (env, seed) in enumerate(zip(which, seeds, strict=True)):
                first[at], _ = self.envs[env].reset(seed=seed)
        except AurifyError:
            raise
        except Exception as error:
            raise failed(self.world.source, "cannot begin an episode", error) from error
        return first

    def step(self, actions: np.ndarray) -> Step:
        return self.step_some(range(len(self.envs)), actions)

    def step_some(self, which: Sequence[int], actions: np.ndarray) -> Step:
        """Step the environments (n,) of ``which`` by actions (n, *shape)."""
        count = len(which)
        after = np.empty((count, *self.observed.shape), dtype=self.observed.dtype)
        reward, terminated, truncated = np.empty(count), np.empty(count, dtype=bool), np.empty(count, dtype=bool)
        envs, taken = self.envs, list(actions)
        try:
            for at, env in enumerate(which):
                after[at], reward[at], terminated[at], truncated[at], _ = envs[env].step(taken[at])
        except AurifyError:
            raise
        except Exception as error:
            raise failed(self.world.source, "fails in a step", error) from error
        if not np.isfinite(reward).all():
            raise AurifyError(
                f"{self.world.source} fails in a step: it pays {reward[~np.isfinite(reward)][0]}; a reward must be a"
                " finite number"
            )
        return Step(reward, after, terminated, truncated)

    def close(self) -> None:
        for env in self.envs:
            env.close()


class Together:
    """A vector environment of Gymnasium's, in any of its three autoreset modes.

    It must take ``reset_mask``, as those do that Gymnasium makes of single environments: whatever the mode would do
    after an end, episodes are begun by their own seeds before the next step.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]):
        from gymnasium.vector import AutoresetMode

        self.env = env
        self.same_step = env.metadata["autoreset_mode"] == AutoresetMode.SAME_STEP
        self.seeds: list[int | None] = [None] * env.num_envs

    def begin(self, which: Sequence[int], seeds: Sequence[int]) -> np.ndarray:
        mask, each = np.zeros(self.env.num_envs, dtype=bool), list(self.seeds)
        mask[list(which)] = True
        for env, seed in zip(which, seeds, strict=True):
            each[env] = seed
        every = len(which) == self.env.num_envs
        first, _ = self.env.reset(seed=each, options=None if every else {"reset_mask": mask})  # pyright: ignore[reportArgumentType]
        return first[mask]

    def step(self, actions: np.ndarray) -> Step:
        after, reward, terminated, truncated, told = self.env.step(actions)
        ended = terminated | truncated
        if self.same_step and ended.any():  # what came back is where the next episodes would begin
            after = after.copy()
            for at in np.flatnonzero(ended).tolist():
                after[at] = told["final_obs"][at]
        return Step(reward.astype(np.float64), after, terminated, truncated)

    def close(self) -> None:
        self.env.close()


class Field:
    """Environments of one world side by side.

    Episode k of environment i is begun with ``episode_seed(seeds[i], k)``: where an environment is depends on its
    seed, the number of its episode and the actions since. ``observation`` (N, *shape) is what the next actions answer.
    """

    def __init__(self, world: World, seeds: Sequence[int], side: Side | None = None):
        self.world, self.seeds = world, tuple(map(int, seeds))
        count = len(self.seeds)
        native = world.make_many(count) if side is None else None
        told = Told.of(world, count) if side is None and native is None else None
        self.native: Any = native or told  # what can say and take up where all environments are
        self.side: Side = side or told or (Singles(world, count) if native is None else Together(native))
        self.finished: list[Finished] = []
        self._each = np.arange(count)
        self._episode, self._length = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
        self._value = np.zeros(count)
        self._taken = np.empty((count, world.limit or 64, *world.actions.shape), dtype=world.actions.dtype)
        self.observation = self._begun(self._each)

    def step(self, actions: np.ndarray) -> Step:
        """Take an action (N, *shape) in every environment, as ``Actions.to_world`` gives them."""
        step = self.side.step(actions)
        self._noted(actions, step.reward)
        self.observation = step.after.copy()
        ended = np.flatnonzero(step.terminated | step.truncated)
        if len(ended):
            self._end(ended)
        return step

    def begin_anew(self, episode: int) -> None:
        """Leave the episodes that are under way, which count as played by nobody, and begin number ``episode``."""
        self._episode[:], self._length[:], self._value[:] = episode, 0, 0.0
        self.observation = self._begun(self._each)

    def _noted(self, actions: np.ndarray, reward: np.ndarray) -> None:
        if self.native is None:
            if self._length.max() == self._taken.shape[1]:
                self._taken = np.concatenate([self._taken, np.empty_like(self._taken)], 1)
            self._taken[self._each, self._length] = actions
        self._length += 1
        self._value += reward

    def _end(self, ended: np.ndarray) -> None:
        self.finished += [
            Finished(env, int(self._episode[env]), float(self._value[env]), int(self._length[env]))
            for env in ended.tolist()
        ]
        self._episode[ended] += 1
        self._length[ended] = 0
        self._value[ended] = 0.0
        self.observation[ended] = self._begun(ended)

    def _begun(self, which: np.ndarray) -> np.ndarray:
        """Begin the present episode in some environments; what they show first."""
        envs = which.tolist()
        return self.side.begin(envs, [episode_seed(self.seeds[env], int(self._episode[env])) for env in envs])

    def take_finished(self) -> list[Finished]:
        """The episodes that have ended since this was asked last."""
        taken, self.finished = self.finished, []
        return taken

    def state(self) -> dict[str, Any]:
        """All that ``restore`` needs, as plain data and tensors."""
        kept = {
            "episode": torch.from_numpy(self._episode.copy()),
            "length": torch.from_numpy(self._length.copy()),
            "value": torch.from_numpy(self._value.copy()),
            "observation": torch.from_numpy(self.observation.copy()),
            "finished": [list(each) for each in self.finished],
        }
        if self.native is not None:
            return kept | {"environment": self.native.state()}
        taken = [self._taken[env, :length] for env, length in enumerate(self._length.tolist())]
        return kept | {"actions": torch.from_numpy(np.concatenate(taken))}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a ``state``, by taking the actions since each episode began once more.

        Raises AurifyError where the environment does not do again what it did.
        """
        self._episode = state["episode"].numpy().copy()
        self._value = state["value"].numpy().copy()
        self._length = state["length"].numpy().copy()
        self.finished = [Finished(*each) for each in state["finished"]]
        self.observation = state["observation"].numpy().copy()
        if self.native is not None:
            self.native.restore(state["environment"])
            return
        assert isinstance(self.side, Singles), "a vector environment that has no state cannot be restored"
        self._replay(self.side, state["actions"].numpy())

    def _replay(self, singles: Singles, actions: np.ndarray) -> None:
        observation, value = self._begun(self._each), np.zeros(len(self.seeds))
        most = max(64, int(self._length.max()), self._taken.shape[1])
        self._taken = np.empty((len(self.seeds), most, *actions.shape[1:]), dtype=actions.dtype)
        ends = np.cumsum(self._length)
        for env, (start, end) in enumerate(zip((ends - self._length).tolist(), ends.tolist(), strict=True)):
            self._taken[env, : end - start] = actions[start:end]
            for at in range(start, end):
                step = singles.step_some([env], actions[at : at + 1])
                observation[env], value[env] = step.after[0], value[env] + step.reward[0]
        same = np.array_equal(observation, self.observation, equal_nan=observation.dtype.kind == "f")
        if not same or not np.array_equal(value, self._value, equal_nan=True):
            raise AurifyError(
                f"{self.world.source} does not do the same again with the same seed and actions, so the run cannot go"
                " on where it was; begin anew with --force"
            )

    def close(self) -> None:
        self.side.close()
