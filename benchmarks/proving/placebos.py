"""Techniques that change a training and, on average, not its result: one random choice is as good as another."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from aurify.core import rng
from aurify.core.parts import Stage, Technique, knob
from aurify.core.recipe import Recipe
from aurify.core.run import Run
from aurify.core.types import Layer, RowPlan, View
from aurify.techniques.columns import ExcludeColumns

SHUFFLED = ("shuffled 1", "shuffled 2")
"""Columns of a table that are there to tell nothing: one column shuffled twice."""


@dataclass(kw_only=True)
class OtherWeights(Technique):
    """Begin with other weights. Helps and hurts: never, on average."""

    key: int = knob(1, "which; 0: the run's own", low=0, high=9)
    neutral = {"key": 0}

    def begin(self, model: nn.Module, recipe: Recipe) -> None:
        if self.key:
            rng.initialise(model, rng.key(recipe.seed, "other weights", self.key))


@dataclass(kw_only=True)
class OtherOrder(Technique):
    """Serve the rows in another order. Helps and hurts: never, on average."""

    key: int = knob(1, "which; 0: the run's own", low=0, high=9)
    neutral = {"key": 0}

    def rows(self, view: View, plan: RowPlan) -> RowPlan:
        if not self.key:
            return plan
        random = rng.generator(view.seed, "other order", self.key)
        return plan.keep(torch.randperm(len(plan.index), generator=random))


@dataclass(kw_only=True)
class OtherMasks(Technique):
    """Draw the masks of dropout otherwise. Helps and hurts: never, on average."""

    key: int = knob(1, "which; 0: the run's own", low=0, high=9)
    neutral = {"key": 0}

    def groups(self, run: Run, groups: list[dict[str, object]]) -> list[dict[str, object]]:
        if self.key:
            run.draws.seed = rng.key(run.recipe.seed, "other masks", self.key)
        return groups


@dataclass(kw_only=True)
class ShuffledColumn(Technique):
    """Show one of two shuffled columns. Helps: never; of either the other is as good. Hurts: a little, beside none."""

    key: int = knob(1, "which; 0: none", low=0, high=2)
    stage = Stage.PARSE

    @property
    def hidden(self) -> tuple[str, ...]:
        return tuple(name for at, name in enumerate(SHUFFLED, 1) if at != self.key)

    def layer(self, view: View) -> Layer | None:
        return ExcludeColumns(columns=self.hidden).layer(view)
