"""Techniques that choose and weigh training rows."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from aurify.core.parts import Technique, Trait, knob
from aurify.core.ragged import Ragged, from_texts
from aurify.core.types import RowPlan, View
from aurify.data.copies import row_keys
from aurify.data.text_copies import plainly


@dataclass(kw_only=True)
class DropDuplicates(Technique):
    """Learn from exact copies of a row once (Lee et al. 2022, Deduplicating training data).

    Helps: when copies are accidents of collection, which would weigh some examples more than they deserve. Hurts:
    when equal rows are real repeated observations, as in tables of few categories: their counts carry information.
    Rows with equal inputs and different targets are all kept, and so are rows that the data gives different weights.
    Texts may be compared in plain spelling: without case, blanks and full-width forms.
    """

    family = "cleaning"
    keep: str = knob("first", "which of equal rows to learn from", choices=("first", "all"))
    texts: str = knob("exact", "when texts are equal", choices=("exact", "plain"))
    needs = frozenset({Trait.COLUMNS})
    neutral = {"keep": "all"}
    stacks = True
    order = -10

    def rows(self, view: View, plan: RowPlan) -> RowPlan:
        if self.keep == "all":
            return plan
        values = [_plain(v) if self.texts == "plain" and isinstance(v, Ragged) else v for v in view.values.values()]
        columns = [*values, view.target.reshape(len(view), -1), view.weight[:, None]]
        keys = row_keys(columns)[plan.index.numpy()]
        firsts = np.zeros(len(keys), dtype=bool)
        firsts[np.unique(keys, return_index=True)[1]] = True
        return plan.keep(torch.from_numpy(firsts))


def _plain(texts: Ragged) -> Ragged:
    return from_texts([plainly(text) for text in texts.flat_texts()], texts.columns)


@dataclass(kw_only=True)
class BalanceClasses(Technique):
    """Weigh rows so that rare classes count as much as common ones (King & Zeng 2001).

    Where the data gives rows a weight, classes are compared by it. Helps: recall, balanced accuracy and macro F1 of
    rare classes. Hurts: log loss and calibration, because the network learns from other class frequencies than it
    will meet; ROC AUC rarely moves.
    """

    family = "balancing"
    strength: float = knob(1.0, "0: as they are, 1: all classes weigh the same", low=0.0, high=1.0)
    needs = frozenset({Trait.CATEGORICAL})
    neutral = {"strength": 0.0}
    stacks = True

    def rows(self, view: View, plan: RowPlan) -> RowPlan:
        target = plan.targets(view.target)
        totals = torch.bincount(target, plan.weight)
        balanced = torch.where(totals > 0, totals.sum() / (totals * (totals > 0).sum()), 1.0)
        return replace(plan, weight=plan.weight * balanced[target] ** self.strength)
