"""One cycle of the learning rate, with momentum the other way round."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from aurify.core.around import Around
from aurify.core.parts import Technique, knob
from aurify.core.run import Run


@dataclass(kw_only=True)
class OneCycle(Technique):
    """Raise the learning rate to its full height and let it fall far below its start, momentum the other way round.

    Super-convergence (Smith & Topin 2018), with the half cosines of fastai. Helps: high rates and short trainings of a
    known length; the full rate may be several times what a constant one could be. Hurts: stopped early it has not
    come down yet; beside ``warm_up`` it would rise twice. Momentum is SGD's and RMSprop's ``momentum`` and Adam's
    ``beta1``.
    """

    family = "schedule"
    rising: float = knob(0.3, "part of training spent rising", low=0.1, high=0.5, legal=(0.0, 1.0))
    start: float = knob(0.04, "first rate, as a share of the full one", low=0.01, high=0.2, legal=(0.0, 1.0))
    floor: float = knob(1e-5, "last rate, as a share of the full one", low=0.0, high=0.01, legal=(0.0, 1.0))
    dip: float = knob(0.1, "how far momentum is lowered at the full rate", low=0.0, high=0.2, legal=(0.0, 0.5))
    neutral = {"start": 1.0, "floor": 1.0, "dip": 0.0}
    slot = "schedule"
    stacks = True

    def schedule(self, run: Run, group: Mapping[str, Any]) -> float:
        lowest = self.start if run.progress < self.rising else self.floor
        return lowest + (1 - lowest) * self.height(run)

    def height(self, run: Run) -> float:
        """Where in the cycle a run is: 0 at its ends, 1 at the full rate."""
        rising = run.progress < self.rising
        way = run.progress / self.rising if rising else (1 - run.progress) / (1 - self.rising)
        return 0.5 * (1 - math.cos(math.pi * way))

    def wrap_optimizer(self, optimizer: Any, run: Run) -> Any:
        return _Swinging(optimizer, lambda: self.dip * self.height(run))


class _Swinging(Around):
    """An optimizer whose momentum is lowered before each step by what ``dip`` says."""

    def __init__(self, inner: Any, dip: Callable[[], float]):
        super().__init__(inner)
        self.dip = dip
        self.full = [group.get("momentum", group.get("betas", (0.0,))[0]) for group in inner.param_groups]

    def step(self, closure: Callable[[], Tensor] | None = None) -> Tensor:
        dip = self.dip()
        for group, full in zip(self.inner.param_groups, self.full, strict=True):
            lowered = max(0.0, full - dip)
            if "betas" in group:
                group["betas"] = (lowered, *group["betas"][1:])
            elif "momentum" in group:
                group["momentum"] = lowered
        return self.inner.step(closure)
