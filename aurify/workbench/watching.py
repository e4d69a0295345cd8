"""Episodes moment by moment, and how their worlds draw themselves."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from aurify.core.errors import AurifyError, listing
from aurify.worlds.episodes import ENDLESS, Act
from aurify.worlds.field import episode_seed
from aurify.worlds.naming import failed
from aurify.worlds.world import World


@dataclass(frozen=True, eq=False)
class Moment:
    """What is seen before an action, or after the last one, and what was paid for the action that led there.

    ``picture`` is an image (H, W, 3) uint8 or a text, as the world draws itself; None where nobody asked.
    """

    observation: np.ndarray
    picture: np.ndarray | str | None
    reward: float = 0.0
    terminated: bool = False
    ended: bool = False


def moments(world: World, act: Act, seed: int, render: str | None) -> Iterator[Moment]:
    """One episode, moment by moment: the same as ``worlds.episodes.play`` plays with that seed."""
    observed = world.observed
    with _silent(), closing(world.make(render)) as env:

        def picture() -> Any:
            return None if render is None else env.render()

        try:
            observation, _ = env.reset(seed=episode_seed(seed, 0))
            yield Moment(np.asarray(observation, dtype=observed.dtype), picture())
            ended, steps = False, 0
            while not ended:
                action = act(np.asarray(observation, dtype=observed.dtype)[None], np.zeros(1, dtype=np.int64))
                taken = action.tolist()[0] if action.ndim == 1 else action[0]
                observation, reward, terminated, truncated, _ = env.step(taken)
                steps += 1
                ended = bool(terminated or truncated) or steps >= (world.limit or ENDLESS)
                shown = np.asarray(observation, dtype=observed.dtype)
                yield Moment(shown, picture(), float(reward), bool(terminated), ended)
        except AurifyError:
            raise
        except Exception as error:
            raise failed(world.source, "fails while it is played", error) from error


@contextmanager
def _silent() -> Iterator[None]:
    """No screen and no loudspeaker for pygame, by which many worlds draw: what is asked for are arrays."""
    before = {name: os.environ.get(name) for name in ("SDL_VIDEODRIVER", "SDL_AUDIODRIVER")}
    os.environ |= dict.fromkeys(before, "dummy")
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def ways_to_draw(world: World) -> list[str]:
    """How the world can draw itself: ``rgb_array``, ``ansi`` and what else its class says."""
    with closing(world.make()) as env:
        return [str(way) for way in env.metadata.get("render_modes", ())]


def drawn_by(world: World, wanted: Sequence[str]) -> str:
    """The first of the ways that are wanted; raises AurifyError where the world has none of them."""
    known = ways_to_draw(world)
    way = next((way for way in wanted if way in known), None)
    if way is None:
        told = f"it draws itself as {listing(known)} only" if known else "it does not draw itself"
        raise AurifyError(f"{world.source} cannot be recorded: {told}")
    return way


def frames_a_second(world: World) -> float:
    """How fast the world is meant to be looked at."""
    with closing(world.make()) as env:
        told = env.metadata.get("render_fps")
    return float(told) if isinstance(told, (int, float)) and told > 0 else 10.0
