"""Techniques that treat layers by their depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import nn

from aurify.blocks.chain import links
from aurify.blocks.drop_path import DropPath
from aurify.core.parts import Technique, Trait, knob
from aurify.core.recipe import Recipe
from aurify.core.run import Run


@dataclass(kw_only=True)
class LayerRates(Technique):
    """Give each layer a smaller learning rate than the one after it, so that what lies near the input moves least.

    Discriminative fine-tuning (Howard & Ruder 2018). Helps: networks that begin with weights learnt elsewhere, whose
    first layers are general already. Hurts: training from the beginning, where the first layers have most to learn.
    Depth is the order in which a network's layers were written; a pretrained encoder's blocks count one by one.
    """

    family = "optimisation"
    decay: float = knob(0.8, "rate of a layer, as a share of the next one's", low=0.5, high=1.0, legal=(0.0, 1.0))
    neutral = {"decay": 1.0}
    vivid = {"decay": 0.3}
    stacks = True

    def groups(self, run: Run, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self.decay == 1.0:
            return groups
        distance = {id(p): away for away, link in enumerate(reversed(links(run.model))) for p in link}
        parted = []
        for group in groups:
            for away in sorted({distance[id(p)] for p in group["params"]}):
                here = [p for p in group["params"] if distance[id(p)] == away]
                parted.append({**group, "params": here, "rate": group.get("rate", 1.0) * self.decay**away})
        return parted


@dataclass(kw_only=True)
class StochasticDepth(Technique):
    """Let each example skip residual branches at random, deep ones more often (Huang et al. 2016).

    The share skipped rises linearly over the branches to ``rate`` at the last one. Helps: deep residual networks and
    transformers, which train as an ensemble of shallow ones. Hurts: networks of few branches, of which it takes too
    much.
    """

    family = "regularisation"
    rate: float = knob(0.2, "share of examples that skip the last branch", low=0.0, high=0.5, legal=(0.0, 0.95))
    needs = frozenset({Trait.RESIDUAL})
    stacks = True
    neutral = {"rate": 0.0}
    vivid = {"rate": 0.5}

    def begin(self, model: nn.Module, recipe: Recipe) -> None:
        branches = [m for m in model.modules() if isinstance(m, DropPath)]
        for at, branch in enumerate(branches, 1):
            branch.rate = self.rate * at / len(branches)
