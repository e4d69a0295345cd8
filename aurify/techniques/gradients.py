"""Techniques on gradients."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from aurify.core.parts import Technique, knob
from aurify.core.run import Run


@dataclass(kw_only=True)
class GradientClipping(Technique):
    """Bound the length of the whole gradient (Pascanu et al. 2013).

    Helps: rare huge gradients, in recurrent networks above all, that would undo much training. Hurts: a limit
    below the usual length is a smaller learning rate in disguise.
    """

    family = "optimisation"
    limit: float = knob(1.0, "longest gradient let through", low=0.1, high=10.0, log=True, legal=(1e-6, float("inf")))
    neutral = {"limit": float("inf")}
    vivid = {"limit": 1e-3}

    stacks = True

    def on_gradients(self, run: Run) -> None:
        if run.members == 1:
            torch.nn.utils.clip_grad_norm_(run.parameters, self.limit, foreach=True)
            return
        gradients = [p.grad for p in run.parameters if p.grad is not None]
        # not of all of them joined: what is large would be copied
        lengths = torch.stack([gradient.flatten(1).norm(dim=1) for gradient in gradients]).norm(dim=0)
        shares = (self.limit / (lengths + 1e-6)).clamp(max=1.0)  # as torch has it, for each member
        own = [shares.view(-1, *[1] * (gradient.ndim - 1)) for gradient in gradients]
        torch._foreach_mul_(gradients, own)  # pyright: ignore[reportPrivateImportUsage]
