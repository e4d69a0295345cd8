"""Agents at play: what a member of a Bundle does in its world, and what is seen of an episode."""

# N episodes, n of them not ended yet, K actions

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from aurify.core import rng
from aurify.core.errors import AurifyError, listing
from aurify.ship.bundle import Bundle
from aurify.ship.pipeline import WHOLE_ROWS, Member
from aurify.worlds.episodes import ENDLESS, Act
from aurify.worlds.field import episode_seed
from aurify.worlds.naming import failed
from aurify.worlds.world import World

GREEDY, SAMPLED, RANDOM = "greedy", "sampled", "random"
"""How is acted: as seems best, as likely as it seems best, and evenly."""

SPREAD = "spread"
"""The tensor (A,) of a layer of what acts by numbers: how far it tries to each side."""


def acting(bundle: Bundle, member: Member, world: World, policy: str, seeds: Sequence[int]) -> Act:
    """How one agent acts in the episodes of these ``seeds`` (N,).

    What it draws hangs on the seed of the episode alone, not on the others that are played beside it.
    """
    draws = [] if policy == GREEDY else [_draws(seed) for seed in seeds]
    spread = None if policy == GREEDY else _spread(member)

    def act(observations: np.ndarray, which: np.ndarray) -> np.ndarray:
        answer = answered(bundle, member, world, observations)
        if policy == GREEDY:
            choice = answer if world.actions.count is None else answer.argmax(1)
        elif world.actions.count is None:
            away = np.stack([draws[at].standard_normal(math.prod(world.actions.shape)) for at in which])
            choice = answer.reshape(len(which), -1) + (0.0 if spread is None else spread * away)
        else:
            below = np.array([draws[at].random() for at in which])[:, None]
            choice = (answer.cumsum(1) <= below).sum(1).clip(max=world.actions.count - 1)
        return world.actions.to_world(choice)

    return act


def samples(member: Member, world: World) -> bool:
    """Whether an agent may act otherwise than greedily: of numbers only one that says how far it tries."""
    return world.actions.count is not None or _spread(member) is not None


def answered(bundle: Bundle, member: Member, world: World, observations: np.ndarray) -> np.ndarray:
    """What a member says of observations (n, *shape): probabilities (n, K), or numbers (n, ...)."""
    return _asked(bundle.pipeline.answer, member, world, observations)


def valued(bundle: Bundle, member: Member, world: World, observations: np.ndarray) -> np.ndarray:
    """What each action is worth to a member that goes by values, of observations (n, *shape): (n, K)."""
    return _asked(bundle.pipeline.output, member, world, observations)


@torch.no_grad()
def _asked(ask: Callable[..., torch.Tensor], member: Member, world: World, observations: np.ndarray) -> np.ndarray:
    count = len(observations)
    # products with a few rows are summed in another order than those with many
    filled = np.concatenate([observations, np.repeat(observations[:1], -count % WHOLE_ROWS, axis=0)])
    return ask(member, world.values(filled)).cpu().numpy()[:count]


def _draws(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(rng.key(seed, "act")))


def _spread(member: Member) -> np.ndarray | None:
    """How far an agent tries (A,), where it says so."""
    found = [layer.tensors().get(SPREAD) for layer in member.layers]
    told = [spread for spread in found if spread is not None and len(spread)]
    return told[-1].double().cpu().numpy() if told else None


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
