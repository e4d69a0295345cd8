"""Techniques of a known effect, for tables of which it is known how they were drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from aurify.core import rng
from aurify.core.parts import Technique, knob
from aurify.core.types import RowPlan, View
from benchmarks.proving.tables import CLEAR, signal_of


@dataclass(kw_only=True)
class KnownLabels(Technique):
    """Learn from the likelier class of a share of the rows, as the function that drew them tells it.

    Helps: where labels are noisy. Hurts: never.
    """

    share: float = knob(1.0, "share of rows", low=0.0, high=1.0)
    neutral = {"share": 0.0}

    def rows(self, view: View, plan: RowPlan) -> RowPlan:
        names, values = view.inputs["numbers"].names, view.values["numbers"]
        signal = signal_of([values[:, names.index(name)] for name in CLEAR])
        known = torch.rand(len(view), generator=rng.generator(view.seed, "known labels")) < self.share
        corrected = torch.where(known, (signal > 0).long(), view.target)
        return replace(plan, target=corrected[plan.index])
