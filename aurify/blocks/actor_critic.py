"""A policy and, where the method wants one, what estimates the return: two networks over the same observation."""

# B rows, K choices or numbers of an action

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from aurify.core.types import Blend


class ActorCritic(nn.Module):
    """The actor's outputs (B, K), behind them the log of the spread of each number (B, A) and the value (B, 1).

    ``spread`` is how far actions that are numbers are tried to each side at first; None for actions that are choices.
    """

    def __init__(self, actor: nn.Module, critic: nn.Module | None, numbers: int = 0, spread: float = 1.0):
        super().__init__()
        self.actor, self.critic = actor, critic
        self.spread = Spread(numbers, spread) if numbers else None

    def forward(self, inputs: Mapping[str, Tensor], blend: Blend | None = None) -> Tensor:
        parts = [self.actor(inputs, blend)]
        if self.spread is not None:
            parts.append(self.spread(parts[0]))
        if self.critic is not None:
            parts.append(self.critic(inputs, blend))
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


class Spread(nn.Module):
    """The log of the deviation of each number of an action, the same wherever one is (Schulman et al. 2015)."""

    def __init__(self, numbers: int, first: float):
        super().__init__()
        self.log = nn.Parameter(torch.full((numbers,), first).log())

    def forward(self, means: Tensor) -> Tensor:
        return self.log.expand_as(means) + 0 * means  # a value a row, whichever member the row is of
