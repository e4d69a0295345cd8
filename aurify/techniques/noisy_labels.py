"""Techniques that learn less from rows that look mislabelled, whatever the rows are."""

# B batch, N training rows

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from aurify.core.parts import Technique, knob, state
from aurify.core.run import Run
from aurify.core.types import Batch


@dataclass(kw_only=True)
class RobustLoss(Technique):
    """Weigh rows down the less the network believes their label (Zhang & Sabuncu 2018, generalized cross-entropy).

    A row weighs e^(-q * loss): for classes that is the label's probability to the power of q, and the gradient is that
    of their loss; for numbers it is Welsch's. Helps: labels of which a tenth or more are wrong, once a network can
    tell. Hurts: clean labels, rare classes and hard ones, which look as wrong ones do; many classes, whose first steps
    it slows.
    """

    family = "cleaning"
    q: float = knob(0.3, "0: every row the same; 1: as the mean absolute error", low=0.05, high=0.8, legal=(0.0, 1.0))
    neutral = {"q": 0.0}
    vivid = {"q": 0.8}
    stacks = True

    def weigh(self, losses: Tensor, output: Tensor, batch: Batch, run: Run) -> Tensor:
        if self.q == 0.0:
            return losses
        own = run.problem.losses(output, batch).detach()  # without what other techniques made of them
        return losses * (-self.q * own).exp()


@dataclass(kw_only=True)
class SmallLoss(Technique):
    """Leave out the rows whose loss was largest when they were last seen (Jiang et al. 2018; Han et al. 2018).

    Which rows those are is decided once an epoch, over all of them, after a beginning in which every row is learnt
    from: networks learn what is right before they learn errors by heart (Arpit et al. 2017). Helps: labels of which a
    tenth or more are wrong. Hurts: clean labels, rare classes and hard ones, which are the first to be left out; beside
    mixup, whose losses are of two rows.
    """

    family = "cleaning"
    share: float = knob(0.1, "of the rows that is left out", low=0.02, high=0.4, legal=(0.0, 0.9))
    begin_at: float = knob(0.3, "share of training before any row is left out", low=0.1, high=0.6, legal=(0.0, 1.0))
    neutral = {"share": 0.0}
    vivid = {"share": 0.4, "begin_at": 0.1}
    latest: Tensor | None = state()
    out: Tensor | None = state()

    def weigh(self, losses: Tensor, output: Tensor, batch: Batch, run: Run) -> Tensor:
        if self.share == 0.0:
            return losses
        own = run.problem.losses(output, batch).detach().float()
        known = run.problem.rows
        if self.latest is None:
            self.latest = torch.full((len(known),), -torch.inf)
        self.latest = self.latest.to(own.device)
        place = torch.searchsorted(known, batch.rows).to(own.device)
        # of a row that is in the batch twice the larger loss, so that no order decides
        self.latest.scatter_reduce_(0, place, own, "amax", include_self=False)
        return losses if self.out is None else losses * ~self.out.to(own.device)[place]

    def after_update(self, run: Run) -> None:
        ended = (run.step + 1) % run.problem.feed.steps_per_epoch == 0
        if self.latest is None or not ended or run.progress < self.begin_at:
            return
        worst = self.latest.argsort(descending=True, stable=True)[: int(self.share * len(self.latest))]
        self.out = torch.zeros_like(self.latest, dtype=torch.bool).index_fill(0, worst, True)
