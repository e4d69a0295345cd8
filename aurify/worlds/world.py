"""The World: the environment that a run learns in, as far as it can be known without acting in it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from aurify.core.errors import AurifyError
from aurify.core.files import unwritable, write_json
from aurify.data.schema import Schema
from aurify.worlds import naming
from aurify.worlds.spaces import ACTION, Actions, Observed

if TYPE_CHECKING:
    import gymnasium
    from gymnasium.vector import VectorEnv

FORMAT = 1

FILE = "world.json"


@dataclass(frozen=True)
class World:
    """An environment by its name and settings, and what it shows and takes.

    ``limit`` is after how many steps an episode is cut off, None where it never is. ``fingerprint`` is the SHA-256 of
    all that is said here and, of a class of the user's own, of the text of its file. An observation is a row of
    ``schema``, whose target is the action.
    """

    source: str
    settings: Mapping[str, Any]
    observed: Observed
    actions: Actions
    limit: int | None
    fingerprint: str

    @classmethod
    def of(cls, source: str, settings: Mapping[str, Any]) -> Self:
        """Make the environment once and read what it is; raises AurifyError where that cannot be."""
        env = naming.make(source, settings)
        try:
            observed = Observed.of(_space(env, "observation_space", source), source)
            actions = Actions.of(_space(env, "action_space", source), source)
            limit = _limit(env)
        finally:
            env.close()
        told = {"source": source, "settings": dict(settings), "limit": limit}
        told |= {"observed": observed.plain(), "actions": actions.plain()}
        digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
        if (file := naming.file_of(source)) is not None:
            digest.update(file.read_bytes())
        return cls(source, dict(settings), observed, actions, limit, digest.hexdigest())

    @cached_property
    def schema(self) -> Schema:
        """Observations as rows of typed columns, with the action as what is to be predicted."""
        return Schema((*self.observed.columns, self.actions.column), ACTION, self.actions.classes)

    def make(self, render: str | None = None) -> gymnasium.Env[Any, Any]:
        """One environment, unchecked, with its time limit; ``render`` is a way to draw that it knows."""
        return naming.make(self.source, self.settings, render)

    def make_many(self, count: int) -> VectorEnv[Any, Any, Any] | None:
        """``count`` environments that are stepped together; None where the environment has no such class."""
        return naming.make_many(self.source, self.settings, count)

    def values(self, observations: np.ndarray) -> dict[str, Any]:
        """Observations (N, *shape) as a network's raw inputs: just what rows of the schema would be."""
        return self.observed.values(observations)

    def verify(self, folder: Path) -> None:
        """Look at the environment once more; raises AurifyError when it is not what it was when ``folder`` began."""
        if World.of(self.source, self.settings).fingerprint != self.fingerprint:
            raise AurifyError(f"{self.source} is not what it was when {folder} was begun; fit again with --force")

    def write(self, folder: Path) -> None:
        """Keep it in a folder."""
        plain = {"format": FORMAT, "source": self.source, "settings": self.settings, "limit": self.limit}
        plain |= {"observed": self.observed.plain(), "actions": self.actions.plain(), "fingerprint": self.fingerprint}
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(folder, error) from None
        write_json(folder / FILE, plain)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read what was written; the environment itself need not be there. Raises AurifyError when it is no world."""
        try:
            plain = json.loads((folder / FILE).read_text(encoding="utf-8"))
            if plain["format"] != FORMAT:
                raise AurifyError(f"{folder} is of world format {plain['format']}; this version reads {FORMAT}")
            limit = plain["limit"]
            return cls(
                str(plain["source"]),
                dict(plain["settings"]),
                Observed.from_plain(plain["observed"]),
                Actions.from_plain(plain["actions"]),
                None if limit is None else int(limit),
                str(plain["fingerprint"]),
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AurifyError(f"{folder} is not a readable world ({error}); fit again from the source") from None


@dataclass(frozen=True)
class Met:
    """A world that was made once, and what was noticed on the way."""

    store: World
    notes: tuple[str, ...] = ()


def _space(env: Any, name: str, source: str) -> Any:
    if getattr(env.unwrapped, name, None) is None:
        raise AurifyError(f"{source} has no {name}: set self.{name} in its __init__, as gymnasium.Env asks for")
    return getattr(env, name)


def _limit(env: Any) -> int | None:
    """After how many steps the first of an environment's time limits cuts an episode off."""
    from gymnasium import Wrapper
    from gymnasium.wrappers import TimeLimit

    limit = math.inf
    while isinstance(env, Wrapper):
        if isinstance(env, TimeLimit):
            limit = min(limit, env._max_episode_steps)
        env = env.env
    return None if limit == math.inf else int(limit)
