"""Value iteration as training: every state at once, each value towards what the next ones are worth (Bellman 1957)."""

# S agents, N states, K actions

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from aurify.core.errors import AurifyError
from aurify.core.run import Run
from aurify.core.types import Batch
from aurify.core.words import said
from aurify.problems.acting import ActingProblem, Method
from aurify.worlds.exact import model_of

SETTLED = 1e-7
"""Largest change of a value, relative to the largest one, below which they count as found."""


@dataclass(frozen=True, kw_only=True)
class ValueIteration(Method):
    """Sweeps over all states of a world whose model is known; with a rate of 1 each update is one sweep."""

    gamma: float

    def feed(self, problem: ActingProblem) -> Sweeps:
        return Sweeps(problem, self.gamma)

    def losses(self, problem: ActingProblem, output: Tensor, batch: Batch) -> Tensor:
        states = len(batch) // len(problem.seeds)
        return 0.5 * states * (output - batch.extra["backup"]).square().sum(1)


class Sweeps:
    """All states in every batch, with what the model says that each action is worth; stops when nothing changes."""

    steps_per_epoch = 1

    def __init__(self, problem: ActingProblem, gamma: float):
        model = model_of(problem.world)
        if model is None:
            raise AurifyError(
                f"task.method = value_iteration needs a world whose model is known, such as FrozenLake-v1; of"
                f" {problem.world.source} it is not: take one that learns from what it meets, such as q_learning"
            )
        self.problem, self.gamma, self.known = problem, gamma, model
        states = np.arange(len(model.start))
        self.every = np.tile(states, len(problem.seeds)).astype(problem.world.observed.dtype)
        self.played = 0

    def next(self, run: Run) -> Batch:
        output = self.problem.outputs_for(self.every, run).cpu().double()
        worth = [self.known.backup(said_.max(1).values.numpy(), self.gamma) for said_ in output]
        backup = torch.from_numpy(np.stack(worth))
        change = float((backup - output).abs().max())
        if change <= SETTLED * max(1.0, float(backup.abs().max())):
            run.stop(said("the values have settled"))
        inputs = self.problem.inputs(self.every, run)
        flat = backup.flatten(0, 1).float().to(self.problem.device)
        return Batch(inputs, flat.max(1).values, torch.arange(len(flat)), extra={"backup": flat})

    def state(self) -> dict[str, Any]:
        return {}

    def mark(self) -> dict[str, Any]:
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Nothing but the values is carried from one sweep to the next."""
