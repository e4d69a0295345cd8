"""Techniques of agents that learn a policy: what they see, what they are rewarded with, how far a lesson goes."""

# S agents, E environments of each, C numbers of an observation, B rows

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from aurify.core.parts import Technique, Trait, knob, state
from aurify.core.run import Run
from aurify.core.types import Batch, Layer
from aurify.worlds.seen import Seen

SMALLEST = 1e-8


class Moments(NamedTuple):
    """How many values were met, their mean and the sum of squared differences from it; of each agent, (S, ...)."""

    number: Tensor
    mean: Tensor
    spread: Tensor


def moments(values: Tensor, counts: Tensor) -> Moments:
    """Of values (S, E, ...) where they count (S, E, ...)."""
    number = counts.double().sum(1)
    mean = (values * counts).sum(1) / number.clamp(min=1.0)
    return Moments(number, mean, ((values - mean[:, None]).square() * counts).sum(1))


def joined(one: Moments, other: Moments) -> Moments:
    """Of the values of both together (Chan, Golub & LeVeque 1983)."""
    number, apart = one.number + other.number, other.mean - one.mean
    share = other.number / number.clamp(min=1.0)
    return Moments(number, one.mean + apart * share, one.spread + other.spread + apart.square() * one.number * share)


def _known(count: Tensor | None, mean: Tensor | None, spread: Tensor | None) -> Moments:
    assert count is not None
    assert mean is not None
    assert spread is not None
    return Moments(count, mean, spread)


@dataclass(kw_only=True)
class NormalizeObservations(Technique):
    """Bring each observed number to mean 0 and deviation 1, both as met so far (Andrychowicz et al. 2021).

    Each agent has its own; when an agent is tested they stay as they are. Helps: numbers of different sizes. Hurts:
    worlds that show other parts of themselves late: what was learnt means something else then.
    """

    family = "scaling"
    needs = frozenset({Trait.ACTING})
    limit: float = knob(10.0, "farthest from 0 that is let through", low=3.0, high=20.0, legal=(1e-3, 1e9))
    method: str = knob("running", "mean and deviation so far, or none", choices=("running", "none"))
    neutral = {"method": "none"}
    vivid = {"limit": 0.5}
    stacks = True
    with_weights = ("count", "mean", "spread")
    count: Tensor | None = state()
    mean: Tensor | None = state()
    spread: Tensor | None = state()
    """Sum of squared differences from the mean, (S, C)."""

    def look(self, observation: Tensor, counts: Tensor, run: Run) -> None:
        if self.method == "none":
            return
        met = moments(torch.nan_to_num(observation.double(), 0.0, 0.0, 0.0), counts[..., None])
        self.count, self.mean, self.spread = met if self.mean is None else joined(self._met, met)

    def seen(self, observation: Tensor) -> Tensor:
        if self.mean is None:
            return observation
        centre, scale = self._scaled()
        return ((observation - centre[:, None]) / scale[:, None]).clamp(-self.limit, self.limit)

    def seeing(self, agent: int) -> Layer | None:
        if self.mean is None:
            return None
        centre, scale = self._scaled()
        return Seen(centre=centre[agent], scale=scale[agent], limit=self.limit, spread=torch.zeros(0))

    def _scaled(self) -> tuple[Tensor, Tensor]:
        met = self._met
        return met.mean, (met.spread / met.number.clamp(min=1.0) + SMALLEST).sqrt()

    @property
    def _met(self) -> Moments:
        return _known(self.count, self.mean, self.spread)


@dataclass(kw_only=True)
class ScaleRewards(Technique):
    """Divide rewards by the deviation of the discounted return so far (Engstrom et al. 2020).

    Helps: rewards of hundreds or of thousandths, which a critic is slow to follow. Hurts: worlds whose rare large
    reward makes all the others vanish.
    """

    family = "scaling"
    needs = frozenset({Trait.ACTING})
    gamma: float = knob(0.99, "what a reward counts a step later", low=0.9, high=0.999, legal=(0.0, 1.0))
    limit: float = knob(10.0, "largest reward that is let through", low=3.0, high=20.0, legal=(1e-3, 1e9))
    method: str = knob("running", "deviation so far, or none", choices=("running", "none"))
    neutral = {"method": "none"}
    stacks = True
    carried: Tensor | None = state()
    """Discounted return so far of each environment, (S, E)."""
    count: Tensor | None = state()
    mean: Tensor | None = state()
    spread: Tensor | None = state()

    def rewarded(self, reward: Tensor, ended: Tensor, counts: Tensor, run: Run) -> Tensor:
        if self.method == "none":
            return reward
        carried = reward if self.carried is None else self.carried * self.gamma + reward
        met = moments(carried, counts)
        met = met if self.mean is None else joined(self._met, met)
        self.count, self.mean, self.spread = met
        self.carried = carried * ~ended
        deviation = (met.spread / met.number.clamp(min=1.0) + SMALLEST).sqrt()
        return (reward / deviation[:, None]).clamp(-self.limit, self.limit)

    @property
    def _met(self) -> Moments:
        return _known(self.count, self.mean, self.spread)


@dataclass(kw_only=True)
class NormalizeAdvantages(Technique):
    """Bring the advantages of a batch to mean 0 and deviation 1, for each agent (Andrychowicz et al. 2021).

    Helps: steps of one size whatever rewards are counted in. Hurts: when nothing is left to gain, noise is blown up to
    the size of a signal.
    """

    family = "optimisation"
    needs = frozenset({Trait.POLICY})
    share: float = knob(1.0, "how much of it", low=0.0, high=1.0, legal=(0.0, 1.0))
    neutral = {"share": 0.0}
    stacks = True

    def on_batch(self, batch: Batch, run: Run) -> Batch:
        advantage = batch.extra["advantage"].unflatten(0, (run.members, -1))
        weight = torch.ones_like(advantage) if batch.weight is None else batch.weight.view_as(advantage)
        total = weight.sum(1, keepdim=True)
        mean = (advantage * weight).sum(1, keepdim=True) / total
        spread = ((advantage - mean).square() * weight).sum(1, keepdim=True) / total
        if self.share == 0.0:
            return batch
        normal = torch.lerp(advantage, (advantage - mean) / (spread.sqrt() + SMALLEST), self.share)
        return replace(batch, extra={**batch.extra, "advantage": normal.flatten()})


@dataclass(kw_only=True)
class ClipRatio(Technique):
    """Stop pushing an action whose probability has changed by a share since it was taken (PPO: Schulman et al. 2017).

    Helps: learning from the same experience many times. Hurts: a single pass, which it leaves as it is.
    """

    family = "optimisation"
    needs = frozenset({Trait.POLICY})
    limit: float = knob(0.2, "largest change that is rewarded", low=0.05, high=0.4, legal=(0.0, float("inf")))
    neutral = {"limit": float("inf")}
    vivid = {"limit": 0.001}
    slot = "trust"
    stacks = True

    def weigh(self, losses: Tensor, output: Tensor, batch: Batch, run: Run) -> Tensor:
        problem: Any = run.problem
        extra = batch.extra
        ratio = (problem.policy.log_probability(output, extra["action"]) - extra["before"]).exp()
        free = ratio * extra["advantage"]
        held = ratio.clamp(1 - self.limit, 1 + self.limit) * extra["advantage"]
        return losses + (free - held).clamp(min=0.0)


@dataclass(kw_only=True)
class EntropyBonus(Technique):
    """Reward a policy for being undecided (Williams & Peng 1991; Mnih et al. 2016).

    Helps: policies that settle on the first thing that works. Hurts: worlds in which one wrong action ends everything.
    """

    family = "regularisation"
    needs = frozenset({Trait.POLICY})
    weight: float = knob(0.01, "what a nat of entropy is worth", low=1e-4, high=0.1, log=True, legal=(0.0, 1e3))
    neutral = {"weight": 0.0}
    vivid = {"weight": 0.5}
    stacks = True

    def weigh(self, losses: Tensor, output: Tensor, batch: Batch, run: Run) -> Tensor:
        problem: Any = run.problem
        return losses - self.weight * problem.policy.entropy(output)


@dataclass(kw_only=True)
class EpsilonGreedy(Technique):
    """Do something at random now and then, ever more rarely (Sutton & Barto 2018, chapter 2).

    The share of such steps falls along a line from ``first`` to ``last`` and stays there. Helps: all that learns values
    of actions, which must be tried to be known. Hurts: worlds in which one wrong step in many undoes all the others.
    """

    family = "exploration"
    needs = frozenset({Trait.VALUES})
    first: float = knob(1.0, "share of random steps at the beginning", low=0.1, high=1.0, legal=(0.0, 1.0))
    last: float = knob(0.05, "share of random steps at the end", low=0.0, high=0.2, legal=(0.0, 1.0))
    share: float = knob(0.5, "part of training in which it falls", low=0.1, high=1.0, legal=(0.0, 1.0))
    neutral = {"first": 0.0, "last": 0.0}
    stacks = True

    def level(self, run: Run) -> float:
        gone = min(1.0, run.progress / self.share) if self.share > 0 else 1.0
        return self.first + (self.last - self.first) * gone

    def chosen(self, output: Tensor, surest: Tensor, luck: Tensor, run: Run) -> Tensor:
        anything = (luck[..., 1] * output.shape[-1]).long().to(surest.device)
        return torch.where(luck[..., 0].to(surest.device) < self.level(run), anything, surest)
