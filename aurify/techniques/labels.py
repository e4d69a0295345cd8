"""Techniques for targets of several labels a row: what their probabilities mean, and from where on a label is held."""

# N held-out rows, K labels

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from aurify.core.parts import Technique, Trait, knob
from aurify.core.run import Run
from aurify.core.types import Held, Layer

PRIOR_DEVIATION = 0.25


@dataclass(kw_only=True)
class LabelTemperature(Technique):
    """Divide the outputs by one number, or one a label, fitted on held-out training rows (Guo et al. 2017).

    As ``temperature`` does for classes: a prior (log-normal, deviation 0.25) holds each number near 1. Helps:
    calibration and log loss of over- or under-confident networks. Hurts: hardly; ``each`` follows chance where few
    held-out rows hold a label.
    """

    family = "calibration"
    limit: float = knob(10.0, "largest temperature, and smallest as 1/limit", low=2.0, high=20.0, legal=(1.0, 1000.0))
    each: bool = knob(False, "every label has a temperature of its own")
    needs = frozenset({Trait.BERNOULLI})
    neutral = {"limit": 1.0}
    stacks = True

    def answer(self, run: Run, held: Held) -> Layer | None:
        if self.limit == 1.0:
            return None
        output, target = held.output.double(), held.target.double()
        weight = (held.weight / held.weight.mean())[:, None]  # the prior's say should not depend on the weights' unit
        labels = output.shape[1]
        spans = [slice(at, at + 1) for at in range(labels)] if self.each else [slice(None)]
        found = [self._fitted(output[:, span], target[:, span], weight) for span in spans]
        return DivideLabels(temperatures=torch.tensor(found, dtype=torch.float64).expand(labels).clone())

    def _fitted(self, output: Tensor, target: Tensor, weight: Tensor) -> float:
        from scipy.optimize import minimize_scalar

        def loss(log_temperature: float) -> float:
            scaled = output / math.exp(log_temperature)
            losses = torch.nn.functional.binary_cross_entropy_with_logits(scaled, target, reduction="none")
            return float((losses * weight).mean(1).sum()) + 0.5 * (log_temperature / PRIOR_DEVIATION) ** 2

        reach = math.log(self.limit)
        found = minimize_scalar(loss, bounds=(-reach, reach), method="bounded", options={"xatol": 1e-6})
        return math.exp(found.x)


class DivideLabels(Layer):
    """Outputs (B, K) divided by each label's temperature (K,)."""

    temperatures: Tensor

    def forward(self, output: Tensor) -> Tensor:
        return output / self.temperatures


@dataclass(kw_only=True)
class LabelThresholds(Technique):
    """Choose for each label the probability from which on it counts as held, by F1 (Lipton et al. 2014).

    Probabilities stay as they are. Another threshold than 0.5 must be worth it: ``smoothing`` more held-out rows count
    as holding each label, all of them found at 0.5 and half of them elsewhere. Helps: F1 of rare labels, which seldom
    reach 0.5. Hurts: subset accuracy and Hamming loss, for which 0.5 is right; with few held-out rows it follows
    chance.
    """

    family = "calibration"
    smoothing: float = knob(5.0, "held-out rows that speak for 0.5", low=0.0, high=50.0, legal=(0.0, 1e9))
    reach: float = knob(0.45, "how far a threshold may be from 0.5", low=0.1, high=0.49, legal=(0.0, 0.5))
    needs = frozenset({Trait.BERNOULLI})
    neutral = {"reach": 0.0}
    vivid = {"smoothing": 0.0}
    stacks = True
    order = 10

    def answer(self, run: Run, held: Held) -> Layer | None:
        if self.reach == 0.0:
            return None
        likely, target = held.output.double().sigmoid().cpu().numpy(), held.target.cpu().numpy() > 0
        weight = (held.weight / held.weight.mean()).cpu().numpy()
        chosen = [self._chosen(likely[:, at], target[:, at], weight) for at in range(likely.shape[1])]
        return Decide(thresholds=torch.tensor(chosen, dtype=torch.float64))

    def _chosen(self, likely_N: np.ndarray, held_N: np.ndarray, weight_N: np.ndarray) -> float:
        """The threshold with the best F1 among those between neighbouring probabilities; of equal ones next to 0.5."""
        levels = np.unique(likely_N)
        places = np.concatenate([[0.5], (levels[1:] + levels[:-1]) / 2])
        places = places[np.abs(places - 0.5) <= self.reach]
        order = np.argsort(-likely_N, kind="stable")
        ranked, weights = likely_N[order], weight_N[order]
        called = np.concatenate([[0.0], np.cumsum(weights)])
        right = np.concatenate([[0.0], np.cumsum(weights * held_N[order])])
        at = np.searchsorted(-ranked, -places, side="right")
        own = np.where(np.arange(len(places)) == 0, self.smoothing, self.smoothing / 2)
        f1 = 2 * (right[at] + own) / np.maximum(called[at] + right[-1] + 2 * self.smoothing, 1e-12)
        best = np.flatnonzero(f1 >= f1.max() - 1e-12)
        return float(places[best[np.abs(places[best] - 0.5).argmin()]])


class Decide(Layer):
    """Outputs (B, K) as they are, and the probability of each label (K,) from which on it counts as held."""

    thresholds: Tensor

    def forward(self, output: Tensor) -> Tensor:
        return output
