"""How the learning rate moves over training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aurify.core.parts import Technique, knob
from aurify.core.run import Run


@dataclass(kw_only=True)
class Cosine(Technique):
    """Let the learning rate fall along half a cosine (Loshchilov & Hutter 2017).

    Helps: nearly always when the length of training is known: fast early, careful late. Hurts: a training that is
    stopped long before its planned end never reaches the small rates.
    """

    floor: float = knob(0.01, "lowest rate, as a share of the full one", low=0.0, high=0.3, legal=(0.0, 1.0))
    neutral = {"floor": 1.0}
    vivid = {"floor": 0.0}
    slot = "schedule"
    stacks = True

    def schedule(self, run: Run, group: Mapping[str, Any]) -> float:
        return self.floor + (1 - self.floor) * 0.5 * (1 + math.cos(math.pi * run.progress))


@dataclass(kw_only=True)
class WarmUp(Technique):
    """Raise the learning rate from near zero over the first steps (Goyal et al. 2017).

    Helps: large batches, high rates, adaptive optimizers whose statistics are empty at first, transformers. Hurts:
    wastes steps of a short training.
    """

    share: float = knob(0.05, "part of training spent rising", low=0.0, high=0.3, legal=(0.0, 1.0))
    neutral = {"share": 0.0}
    vivid = {"share": 1.0}
    stacks = True

    def schedule(self, run: Run, group: Mapping[str, Any]) -> float:
        rising = self.share * run.steps
        return min(1.0, (run.step + 1) / rising) if rising > 0 else 1.0
