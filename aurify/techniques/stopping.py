"""When to stop, and which weights to keep."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from aurify.core.parts import Technique, knob, state
from aurify.core.run import Run
from aurify.core.words import said


@dataclass(kw_only=True)
class EarlyStopping(Technique):
    """Stop when the score on held-out training rows no longer rises, and keep the best weights (Prechelt 1998).

    Helps: saves time and prevents overfitting at no cost when rows are plenty. Hurts: few held-out rows make a
    noisy score, and the best of many noisy scores is lucky: that score is optimistic, the test score is not.
    """

    family = "regularisation"
    patience: int = knob(16, "validations without a gain before stopping; 0: never", low=4, high=50, legal=(0, 10**6))
    least_gain: float = knob(0.0, "a smaller rise is none", low=0.0, high=1e-2, legal=(0.0, 1e9))
    keep_best: bool = knob(True, "end with the best weights, not the last")
    neutral = {"patience": 0, "keep_best": False}
    vivid = {"patience": 1, "least_gain": 1e9}
    order = 90  # after averaging: the best weights are the ones that were scored
    best: float | None = state()
    waited: int = state(int)
    weights: dict[str, Tensor] | None = state()

    def on_score(self, score: float, run: Run) -> None:
        if self.best is None or score > self.best + self.least_gain:
            self.best, self.waited = score, 0
            if self.keep_best:
                self.weights = {k: v.detach().clone() for k, v in run.model.state_dict().items()}
            return
        self.waited += 1
        if self.waited >= self.patience > 0:
            run.stop(said("no gain in {count} validations", count=self.waited))

    @torch.no_grad()
    def finish(self, run: Run) -> None:
        if self.weights is not None:
            run.model.load_state_dict(self.weights)
