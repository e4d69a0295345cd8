"""Rates of tables that fall with how often each of their numbers was learnt."""

# S agents, B rows of all of them, K actions

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from aurify.core.errors import AurifyError
from aurify.core.parts import Technique, Trait, knob, state
from aurify.core.run import Run
from aurify.core.types import Batch


@dataclass(kw_only=True)
class VisitRates(Technique):
    """Learn less of an action the more often it was done in a state: a share of 1 / (1 + slope * visits).

    The rate of Robbins & Monro (1951) for each number of a table. A slope near 1 - gamma forgets the first guesses
    about as fast as values spread (Wainwright 2019); one of 1, or visits to a power (Even-Dar & Mansour 2003), keeps
    them for ages where gamma is near 1. What several environments of an agent do at once counts as one after another.
    Helps: luck, which a rate that is the same for all follows for ever. Hurts: worlds that change.
    """

    family = "optimisation"
    needs = frozenset({Trait.VALUES, Trait.STATES})
    slope: float = knob(0.02, "how fast the rate falls with visits", low=1e-3, high=0.2, log=True, legal=(0.0, 1e3))
    neutral = {"slope": 0.0}
    vivid = {"slope": 0.5}
    stacks = True
    visits: Tensor | None = state()
    """How often each action was done in each state, (S * states * K,)."""

    def on_batch(self, batch: Batch, run: Run) -> Batch:
        if self.slope == 0.0:
            return batch
        cell, cells = _cells(batch, run)
        met = torch.bincount(cell, minlength=cells)
        self.visits = met if self.visits is None else self.visits + met
        rate, times = 1 / (1 + self.slope * self.visits[cell]), met[cell]
        # lessons of one number within a batch: as much as all of them would one after another, divided evenly
        share = (1 - (1 - rate) ** times) / times
        return replace(batch, weight=share if batch.weight is None else batch.weight * share)


def _cells(batch: Batch, run: Run) -> tuple[Tensor, int]:
    """Which number of the agents' tables each row is about (B,), and how many numbers there are."""
    codes = [(name, given) for name, given in run.problem.signature.inputs.items() if given.kind == "codes"]
    if len(run.problem.signature.inputs) != 1 or not codes:
        raise AurifyError(
            "visit_rates counts how often a state was met, and this world shows numbers, which are hardly ever the same"
            " again: leave it out (--without visit_rates)"
        )
    name, given = codes[0]
    states, actions = given.cardinalities[0], run.problem.signature.outputs
    state = batch.inputs[name][:, 0]
    agent = torch.arange(run.members, device=state.device).repeat_interleave(len(state) // run.members)
    return (agent * states + state) * actions + batch.extra["action"], run.members * states * actions
