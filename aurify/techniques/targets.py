"""Techniques that change what a classifier is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from aurify.core.parts import Technique, Trait, knob
from aurify.core.run import Run
from aurify.core.types import Batch
from aurify.objectives import classify


@dataclass(kw_only=True)
class LabelSmoothing(Technique):
    """Move a little probability from the true class to all classes (Szegedy et al. 2016).

    Helps: noisy labels and over-confident networks with many classes (Müller et al. 2019). Hurts: probabilities
    become too timid, so log loss suffers where labels are clean.
    """

    family = "regularisation"
    amount: float = knob(0.1, "probability spread over all classes", low=0.0, high=0.3, legal=(0.0, 0.99))
    needs = frozenset({Trait.CATEGORICAL})
    neutral = {"amount": 0.0}
    stacks = True

    def on_batch(self, batch: Batch, run: Run) -> Batch:
        classes = batch.target.shape[-1]
        return replace(batch, target=batch.target * (1 - self.amount) + self.amount / classes)


@dataclass(kw_only=True)
class Focal(Technique):
    """Weigh examples down that the network already gets right (Lin et al. 2017, focal loss).

    Helps: very rare classes, where easy negatives drown the signal. Hurts: calibration (use ``temperature``
    beside it) and tables with noisy labels, whose errors look like hard examples.
    """

    family = "balancing"
    gamma: float = knob(2.0, "how fast the weight of easy examples falls", low=0.0, high=5.0, legal=(0.0, 20.0))
    needs = frozenset({Trait.CATEGORICAL})
    neutral = {"gamma": 0.0}
    stacks = True

    def weigh(self, losses: Tensor, output: Tensor, batch: Batch, run: Run) -> Tensor:
        right = (classify.merge(output.float()).softmax(-1) * batch.target).sum(-1)
        return losses * (1 - right).clamp(min=1e-6) ** self.gamma
