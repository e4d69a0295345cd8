"""Act so that more is returned: policy gradients (Williams 1992) and what they are weighed by."""

# S agents, E environments, T steps, B rows, K choices, A numbers of an action

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

SCORE: str = "return"


class Policy(Protocol):
    """How outputs of a network are actions."""

    @property
    def width(self) -> int:
        """How many outputs of a row say what is done; what lies behind them is the value."""
        ...

    def drawn(self, output: Tensor, noise: Tensor) -> Tensor:
        """Actions drawn with ``noise`` as ``noise_like`` makes it."""
        ...

    def noise(self, shape: tuple[int, ...], random: torch.Generator) -> Tensor: ...
    def surest(self, output: Tensor) -> Tensor: ...
    def log_probability(self, output: Tensor, action: Tensor) -> Tensor:
        """The log of the probability (density) of each action, (B,)."""
        ...

    def entropy(self, output: Tensor) -> Tensor:
        """Of each row's distribution, in nats (B,)."""
        ...


@dataclass(frozen=True)
class Choices:
    """One of K: outputs (..., K) are logits."""

    count: int

    @property
    def width(self) -> int:
        return self.count

    def noise(self, shape: tuple[int, ...], random: torch.Generator) -> Tensor:
        """Gumbel noise (shape, K): with it the largest logit is a draw (Gumbel 1954)."""
        uniform = torch.rand(*shape, self.count, generator=random).clamp_(1e-20, 1 - 2**-24)
        return uniform.log_().neg_().log_().neg_()

    def drawn(self, output: Tensor, noise: Tensor) -> Tensor:
        return (output[..., : self.count] + noise.to(output.device)).argmax(-1)

    def surest(self, output: Tensor) -> Tensor:
        return output[..., : self.count].argmax(-1)

    def log_probability(self, output: Tensor, action: Tensor) -> Tensor:
        return -F.cross_entropy(output[:, : self.count], action, reduction="none")

    def entropy(self, output: Tensor) -> Tensor:
        log = output[:, : self.count].log_softmax(1)
        return -(log.exp() * log).sum(1)


@dataclass(frozen=True)
class Numbers:
    """A numbers, each normal about a mean: outputs (..., 2A) are the means, then the logs of the spreads."""

    count: int

    @property
    def width(self) -> int:
        return 2 * self.count

    def noise(self, shape: tuple[int, ...], random: torch.Generator) -> Tensor:
        return torch.randn(*shape, self.count, generator=random)

    def drawn(self, output: Tensor, noise: Tensor) -> Tensor:
        means, logs = self._parts(output)
        return means + logs.exp() * noise.to(output.device)

    def surest(self, output: Tensor) -> Tensor:
        return output[..., : self.count]

    def log_probability(self, output: Tensor, action: Tensor) -> Tensor:
        means, logs = self._parts(output)
        return -(0.5 * ((action - means) / logs.exp()).square() + logs + 0.5 * math.log(2 * math.pi)).sum(-1)

    def entropy(self, output: Tensor) -> Tensor:
        return (self._parts(output)[1] + 0.5 * math.log(2 * math.pi * math.e)).sum(-1)

    def _parts(self, output: Tensor) -> tuple[Tensor, Tensor]:
        return output[..., : self.count], output[..., self.count : 2 * self.count]


def surrogate(policy: Policy, output: Tensor, action: Tensor, before: Tensor, advantage: Tensor) -> Tensor:
    """The loss (B,) whose gradient is the policy's where nothing has been learnt since the actions were drawn.

    ``before`` (B,) are the logs of the probabilities that they were drawn with: importance sampling (Kakade & Langford
    2002; Schulman et al. 2015).
    """
    return -(policy.log_probability(output, action) - before).exp() * advantage


def advantages(
    reward: Tensor, value: Tensor, after: Tensor, ended: Tensor, terminated: Tensor, *, gamma: float, trace: float
) -> Tensor:
    """Generalised advantage estimates (T, ...), summed backwards within episodes (Schulman et al. 2016).

    ``value`` is that of where each step began, ``after`` that of where it led to, of an ended episode its final
    observation; only where ``terminated`` is nothing to come. ``trace`` 1 is all that came, 0 one step.
    """
    surprise = reward + gamma * after * ~terminated - value
    found, carried = torch.empty_like(surprise), torch.zeros_like(surprise[0])
    going_on = gamma * trace * ~ended
    for t in range(len(surprise) - 1, -1, -1):
        found[t] = carried = surprise[t] + going_on[t] * carried
    return found
