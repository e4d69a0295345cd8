"""Make probabilities mean what they say."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from aurify.core.parts import Technique, Trait, knob
from aurify.core.run import Run
from aurify.core.types import Held, Layer

PRIOR_DEVIATION = 0.25


@dataclass(kw_only=True)
class Temperature(Technique):
    """Divide the outputs by one number fitted on held-out training rows (Guo et al. 2017).

    A prior holds the number near 1 (log-normal, deviation 0.25): a few dozen held-out rows that happen to be separable
    would otherwise ask for certainty. Helps: calibration and log loss of over- or under-confident networks; ranks and
    the chosen class stay. Hurts: hardly; with few held-out rows it does little.
    """

    family = "calibration"
    limit: float = knob(10.0, "largest temperature, and smallest as 1/limit", low=2.0, high=20.0, legal=(1.0, 1000.0))
    needs = frozenset({Trait.CATEGORICAL})
    neutral = {"limit": 1.0}
    stacks = True

    def answer(self, run: Run, held: Held) -> Layer | None:
        if self.limit == 1.0:
            return None
        from scipy.optimize import minimize_scalar

        output, target = held.output.double(), held.target
        weight = held.weight / held.weight.mean()  # the prior's say should not depend on the unit of the weights

        def loss(log_temperature: float) -> float:
            prior = 0.5 * (log_temperature / PRIOR_DEVIATION) ** 2
            losses = torch.nn.functional.cross_entropy(output / math.exp(log_temperature), target, reduction="none")
            return float((losses * weight).sum()) + prior

        reach = math.log(self.limit)
        found = minimize_scalar(loss, bounds=(-reach, reach), method="bounded", options={"xatol": 1e-6})
        return Divide(temperature=torch.tensor(math.exp(found.x)))


class Divide(Layer):
    """Outputs (B, K) divided by the temperature."""

    temperature: Tensor

    def forward(self, output: Tensor) -> Tensor:
        return output / self.temperature
