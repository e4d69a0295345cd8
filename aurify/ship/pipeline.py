"""The whole way from raw typed columns to an answer as one module: what predicts, and what is exported."""

# B rows, K classes

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from aurify.core.gathering import by_width
from aurify.core.parts import Task
from aurify.core.recipe import Recipe
from aurify.core.types import Layer

WHOLE_ROWS = 16
"""Rows are put through a network in multiples of this many: no edge is left that a matrix product treats apart."""

THRESHOLDS = "thresholds"
"""The tensor (K,) of an answering layer that says from which probability on each label counts as held."""

HALF = torch.tensor(0.5, dtype=torch.float64)
OUTPUT = "output"
"""The value in which the layers of a member without a network leave its outputs (B, K)."""


@dataclass(frozen=True, eq=False)
class Member:
    """One model of a Bundle: layers that prepare raw rows, a network, layers on its outputs, its share of the answer.

    ``recipe`` is what its network is built from where that is not the Bundle's own.
    Without a ``network`` the layers answer themselves: the last one leaves outputs (B, K) in the value ``output``.
    """

    layers: tuple[Layer, ...]
    network: nn.Module | None
    answers: tuple[Layer, ...]
    weight: float = 1.0
    name: str = "network"
    recipe: Recipe | None = None


class Pipeline(nn.Module):
    """Raw inputs {name: (B, C)} to what users read: class probabilities (B, K) or numbers (B,), float64.

    Each member prepares, predicts and answers for itself; the answers are averaged by the members' weights. Members
    without any weight are no part of it.
    """

    def __init__(self, task: Task, members: Sequence[Member], device: torch.device):
        super().__init__()
        self.task, self.device = task, device
        self.members = tuple(member for member in members if member.weight > 0)
        modules = [(*m.layers, *([m.network] if m.network else []), *m.answers) for m in self.members]
        self.steps = nn.ModuleList(nn.ModuleList(each) for each in modules)  # so that .to() and export find them

    def forward(self, raw: dict[str, Any]) -> Tensor:
        answers = [member.weight * self.answer(member, raw) for member in self.members]
        return answers[0] if len(answers) == 1 else torch.stack(answers).sum(0)

    @property
    def thresholds(self) -> Tensor:
        """The probability from which on a label counts as held: one, or (K,); of members that chose some the mean."""
        if all(_thresholds(member) is None for member in self.members):
            return HALF
        chosen = [(member.weight, _thresholds(member)) for member in self.members]
        return torch.stack(torch.broadcast_tensors(*(w * (HALF if t is None else t).cpu() for w, t in chosen))).sum(0)

    def answer(self, member: Member, raw: dict[str, Any]) -> Tensor:
        """What one member says, alone: one of the pipeline's, or another of its Bundle."""
        return self.task.answers(self.output(member, raw))

    def output(self, member: Member, raw: dict[str, Any]) -> Tensor:
        """Of what one member says, the numbers (B, K) that answers are made of."""
        values = dict(raw)
        for layer in member.layers:
            values = layer(values)
        if member.network is None:
            output = values[OUTPUT].to(self.device)
        else:
            output = by_width(values, self.device, member.network, WHOLE_ROWS)
        output = self.task.merge(output.double())
        for layer in member.answers:
            output = layer(output)
        return output


def _thresholds(member: Member) -> Tensor | None:
    """The thresholds (K,) of the layer that chose some, if one did."""
    found = [layer.tensors()[THRESHOLDS] for layer in member.answers if THRESHOLDS in layer.tensors()]
    return found[-1].double() if found else None
