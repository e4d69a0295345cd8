"""Dropout."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from aurify.blocks import dropout
from aurify.core.parts import Technique, knob
from aurify.core.recipe import Recipe


@dataclass(kw_only=True)
class Dropout(Technique):
    """Silence a random share of units in each step, so that none can rely on another (Srivastava et al. 2014).

    Helps: wide networks on few rows. Hurts: small networks and short training, which it slows; with many rows
    there is little left to prevent. It acts where a network has places for it (``aurify.blocks.dropout.Dropout``); a
    network without any trains as it is.
    """

    family = "regularisation"
    rate: float = knob(0.1, "share of units silenced", low=0.0, high=0.5, legal=(0.0, 0.95))
    neutral = {"rate": 0.0}
    stacks = True
    vivid = {"rate": 0.5}

    def begin(self, model: nn.Module, recipe: Recipe) -> None:
        for module in model.modules():
            if isinstance(module, dropout.Dropout):
                module.rate = self.rate
