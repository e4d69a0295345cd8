"""How agents act: what a member of a Bundle does about what it sees in its world."""

# N episodes, n of them not ended yet, S agents, K actions

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch

from aurify.core import rng
from aurify.core.parts import Trait
from aurify.ship.bundle import Bundle
from aurify.ship.pipeline import WHOLE_ROWS, Member
from aurify.worlds.episodes import Act
from aurify.worlds.world import World

GREEDY, SAMPLED, RANDOM = "greedy", "sampled", "random"
"""How is acted: as seems best, as likely as it seems best, and evenly."""

SPREAD = "spread"
"""The tensor (A,) of a layer of what acts by numbers: how far it tries to each side."""


def acting(bundle: Bundle, member: Member, world: World, policy: str, seeds: Sequence[int]) -> Act:
    """How one agent acts in the episodes of these ``seeds`` (N,).

    What it draws hangs on the seed of the episode alone, not on the others that are played beside it.
    """
    luck = [] if policy == GREEDY else [_luck(seed) for seed in seeds]
    spread = None if policy == GREEDY else _spread(member)

    def act(observations: np.ndarray, which: np.ndarray) -> np.ndarray:
        answer = answered(bundle, member, world, observations)
        if policy == GREEDY:
            choice = answer if world.actions.count is None else answer.argmax(1)
        elif world.actions.count is None:
            away = np.stack([luck[at].standard_normal(math.prod(world.actions.shape)) for at in which])
            choice = answer.reshape(len(which), -1) + (0.0 if spread is None else spread * away)
        else:
            below = np.array([luck[at].random() for at in which])[:, None]
            choice = (answer.cumsum(1) <= below).sum(1).clip(max=world.actions.count - 1)
        return world.actions.to_world(choice)

    return act


def samples(member: Member, world: World) -> bool:
    """Whether an agent may act otherwise than greedily: of numbers only one that says how far it tries."""
    return world.actions.count is not None or _spread(member) is not None


def draws(bundle: Bundle, member: Member, world: World) -> bool:
    """Whether an agent has a policy to draw actions from; to one that goes by values the best one is sure."""
    return Trait.POLICY in bundle.recipe.task.traits and samples(member, world)


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


def _luck(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(rng.key(seed, "act")))


def _spread(member: Member) -> np.ndarray | None:
    """How far an agent tries (A,), where it says so."""
    found = [layer.tensors().get(SPREAD) for layer in member.layers]
    told = [spread for spread in found if spread is not None and len(spread)]
    return told[-1].double().cpu().numpy() if told else None
