"""Averages of the weights along training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from aurify.core.parts import Technique, knob, state
from aurify.core.run import Run


@dataclass(kw_only=True)
class WeightAveraging(Technique):
    """Predict with an average of the weights instead of the last ones.

    ``ema`` is a running mean that forgets (Polyak & Juditsky 1992; Tarvainen & Valpola 2017), ``swa`` the plain
    mean over the last part of training (Izmailov et al. 2018). Early stopping sees the averaged weights. Helps:
    noisy steps (small batches, high rates): steadier and often better scores for no cost at prediction. Hurts: a
    decay too slow for a short training lags behind.
    """

    family = "optimisation"
    method: str = knob("ema", "which average", choices=("ema", "swa"))
    decay: float = knob(0.99, "ema: share of the average kept per step", low=0.9, high=0.9999, legal=(0.0, 0.999999))
    begin_at: float = knob(0.0, "share of training after which averaging begins", low=0.0, high=0.9, legal=(0.0, 1.0))
    neutral = {"decay": 0.0}
    stacks = True
    average: dict[str, Tensor] | None = state()
    count: int = state(int)

    @torch.no_grad()
    def after_update(self, run: Run) -> None:
        if run.progress < self.begin_at:
            return
        weights = run.numbers
        if self.average is None:
            self.average = {name: weight.detach().clone() for name, weight in weights.items()}
        self.count += 1
        new = 1 / self.count if self.method == "swa" else 1 - min(self.decay, self.count / (9 + self.count))
        kept = [self.average[name] for name in weights]
        torch._foreach_lerp_(kept, [w.detach() for w in weights.values()], new)  # pyright: ignore[reportPrivateImportUsage]

    @contextmanager
    def evaluating(self, run: Run) -> Iterator[None]:
        own = {name: weight.detach().clone() for name, weight in run.numbers.items()}
        self.finish(run)
        try:
            yield
        finally:
            _put(run, own)

    def finish(self, run: Run) -> None:
        if self.average is not None:
            _put(run, self.average)


@torch.no_grad()
def _put(run: Run, values: dict[str, Tensor]) -> None:
    for name, weight in run.numbers.items():
        weight.copy_(values[name])
