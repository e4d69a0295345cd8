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
    stacks = True
    best: Tensor | None = state()
    waited: Tensor | None = state()
    weights: dict[str, Tensor] | None = state()
    kept: Tensor | None = state()

    def on_score(self, scores: Tensor, run: Run) -> None:
        if self.best is None or self.waited is None:
            self.best, self.waited = torch.full_like(scores, -torch.inf), torch.zeros(len(scores), dtype=torch.int64)
        best, waited, going = self.best.to(scores.device), self.waited.to(scores.device), run.going
        better = going & (scores > best + self.least_gain)
        self.best, self.waited = torch.where(better, scores, best), torch.where(better, 0, waited + 1)
        over = going & (self.waited >= self.patience) if self.patience else torch.zeros_like(going)
        if over.any():
            run.stop(said("no gain in {count} validations", count=self.patience), over.nonzero()[:, 0].tolist())
        self._keep(better if self.keep_best else over, run)

    def _keep(self, which: Tensor, run: Run) -> None:
        """Remember the weights that some of the models (S,) have now."""
        if not which.any():
            return
        now = _answering(run)
        if self.weights is None or self.kept is None or which.all():
            self.weights, self.kept = {k: v.clone() for k, v in now.items()}, which
            return
        self.kept = self.kept.to(which.device) | which
        for name, value in now.items():
            self.weights[name][which] = value[which]

    @torch.no_grad()
    def finish(self, run: Run) -> None:
        if self.weights is None or self.kept is None:
            return
        weights = self.weights
        if not self.kept.all():
            weights = {name: value.clone() for name, value in _answering(run).items()}
            for name, value in weights.items():
                value[self.kept] = self.weights[name][self.kept]
        run.model.load_state_dict({name: weights[name] for name in run.model.state_dict()})
        for name, technique, field in _beside(run):
            setattr(technique, field, weights[name])


def _answering(run: Run) -> dict[str, Tensor]:
    """All that answers by name: the model's tensors and what belongs to them, of models side by side (S, ...)."""
    own = {name: value.detach() for name, value in run.model.state_dict().items()}
    return own | {name: getattr(technique, field) for name, technique, field in _beside(run)}


def _beside(run: Run) -> list[tuple[str, Technique, str]]:
    """The state of techniques that belongs to the weights, as far as there is some yet."""
    every = [(f"{t.name()}/{field}", t, field) for t in run.techniques for field in t.with_weights]
    return [(name, technique, field) for name, technique, field in every if getattr(technique, field) is not None]
