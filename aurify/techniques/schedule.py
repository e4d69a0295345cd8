"""How the learning rate moves over training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from aurify.core.parts import Technique, knob, state
from aurify.core.run import Run


@dataclass(kw_only=True)
class Cosine(Technique):
    """Let the learning rate fall along half a cosine (Loshchilov & Hutter 2017).

    Helps: nearly always when the length of training is known: fast early, careful late. Hurts: a training that is
    stopped long before its planned end never reaches the small rates.
    """

    family = "schedule"
    floor: float = knob(0.01, "lowest rate, as a share of the full one", low=0.0, high=0.3, legal=(0.0, 1.0))
    neutral = {"floor": 1.0}
    vivid = {"floor": 0.0}
    slot = "schedule"
    stacks = True

    def schedule(self, run: Run, group: Mapping[str, Any]) -> float:
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * run.progress))


@dataclass(kw_only=True)
class Decay(Technique):
    """Let the learning rate fall from the full one to a floor along a line or a curve.

    ``linear`` (Goyal et al. 2017 and most fine-tuning since Devlin et al. 2019); ``exponential`` by the same share in
    every step; ``steps`` by the same share, ``drops`` times (He et al. 2016); ``inverse_square_root`` of the step
    (Vaswani et al. 2017; its rise is ``warm_up``). Helps: as ``cosine`` does; ``inverse_square_root`` falls fast and
    then hardly, for a training whose length is a guess. Hurts: ``exponential`` and low floors spend most steps at
    rates too small to move.
    """

    family = "schedule"
    shape: str = knob("linear", "how it falls", choices=("linear", "exponential", "steps", "inverse_square_root"))
    floor: float = knob(0.01, "last rate, as a share of the full one", low=1e-3, high=0.3, log=True, legal=(1e-9, 1.0))
    drops: int = knob(3, "steps: how many times the rate drops", low=1, high=6, legal=(1, 1000))
    neutral = {"floor": 1.0}
    slot = "schedule"
    stacks = True

    def schedule(self, run: Run, group: Mapping[str, Any]) -> float:
        match self.shape:
            case "linear":
                return self.floor + (1 - self.floor) * (1 - run.progress)
            case "exponential":
                return self.floor**run.progress
            case "steps":
                return self.floor ** (min(self.drops, int(run.progress * (self.drops + 1))) / self.drops)
            case _:
                return (1 + run.progress * (self.floor**-2 - 1)) ** -0.5


@dataclass(kw_only=True)
class ReduceOnPlateau(Technique):
    """Lower the learning rate when the score on held-out training rows has stopped rising (Bengio 2012).

    Helps: when nobody knows how long to train: the rate falls when it has to. Hurts: few held-out rows make a noisy
    score that looks like a plateau; with ``early_stopping`` beside it, its patience must be the longer one.
    """

    family = "schedule"
    patience: int = knob(5, "validations without a gain before the rate falls", low=2, high=20, legal=(1, 10**6))
    factor: float = knob(0.3, "what the rate is multiplied with", low=0.1, high=0.9, legal=(0.0, 1.0))
    floor: float = knob(1e-3, "lowest rate, as a share of the full one", low=1e-4, high=0.1, log=True, legal=(0.0, 1.0))
    least_gain: float = knob(0.0, "a smaller rise is none", low=0.0, high=1e-2, legal=(0.0, 1e9))
    neutral = {"factor": 1.0}
    vivid = {"patience": 1, "least_gain": 1e9}
    slot = "schedule"
    best: float | None = state()
    waited: int = state(int)
    share: float = state(lambda: 1.0)

    def on_score(self, scores: Tensor, run: Run) -> None:
        score = scores.item()
        if self.best is None or score > self.best + self.least_gain:
            self.best, self.waited = score, 0
            return
        self.waited += 1
        if self.waited >= self.patience:
            self.share, self.waited = max(min(self.floor, self.share), self.share * self.factor), 0

    def schedule(self, run: Run, group: Mapping[str, Any]) -> float:
        return self.share


@dataclass(kw_only=True)
class WarmUp(Technique):
    """Raise the learning rate from near zero over the first steps (Goyal et al. 2017).

    Helps: large batches, high rates, adaptive optimizers whose statistics are empty at first, transformers. Hurts:
    wastes steps of a short training.
    """

    family = "schedule"
    share: float = knob(0.05, "part of training spent rising", low=0.0, high=0.3, legal=(0.0, 1.0))
    neutral = {"share": 0.0}
    vivid = {"share": 1.0}
    stacks = True

    def schedule(self, run: Run, group: Mapping[str, Any]) -> float:
        rising = self.share * run.steps
        return min(1.0, (run.step + 1) / rising) if rising > 0 else 1.0
