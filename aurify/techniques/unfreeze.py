"""Layers that begin to learn one after another, the last first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aurify.blocks.chain import links
from aurify.core.parts import Technique, knob
from aurify.core.run import Run

LINK = "link"
"""What a parameter group says of where in the network it is: 0 is the head's, 1 that of the layer before it."""


@dataclass(kw_only=True)
class Unfreeze(Technique):
    """Let the head learn alone at first, then one layer after another, the last one first (Howard & Ruder 2018).

    Gradual unfreezing: a linear probe, then fine-tuning from the top down; the layers between take equal shares of the
    time from ``probe`` to ``whole``. What does not learn yet costs no gradient, and norms of batches keep their
    statistics there. Helps: networks that begin with weights learnt elsewhere (``pretrained``, ``pretrained_image``
    with ``tuning=full``), which a random head would shake at first. Hurts: training from the beginning, where nothing
    is worth keeping; rates that fall early (``cosine``) leave little for the layers that join late.
    """

    family = "optimisation"
    probe: float = knob(0.2, "share of training in which the head learns alone", low=0.0, high=0.5, legal=(0.0, 1.0))
    whole: float = knob(0.5, "share of training after which all layers learn", low=0.0, high=0.9, legal=(0.0, 1.0))
    neutral = {"probe": 0.0, "whole": 0.0}
    vivid = {"probe": 0.4, "whole": 0.8}

    def groups(self, run: Run, groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if max(self.probe, self.whole) == 0:
            return groups
        _ = run.parameters  # what is trained is listed once, before anything is frozen
        link = {id(p): at for at, each in enumerate(reversed(links(run.model))) for p in each}
        parted = []
        for group in groups:
            for at in sorted({link[id(p)] for p in group["params"]}):
                parted.append({**group, "params": [p for p in group["params"] if link[id(p)] == at], LINK: at})
        return parted

    def schedule(self, run: Run, group: Mapping[str, Any]) -> float:
        if LINK not in group:
            return 1.0
        count = run.once(LINK, lambda: len(links(run.model)))
        learns = group[LINK] < self.learning(run.progress, count)
        for parameter in group["params"]:
            parameter.requires_grad_(learns)
        return 1.0 if learns else 0.0

    def learning(self, progress: float, count: int) -> int:
        """How many of ``count`` layers learn at a share of training, counted from the head."""
        if progress >= max(self.probe, self.whole):
            return count
        if progress < self.probe:
            return 1
        return min(count, 2 + int((count - 1) * (progress - self.probe) / (self.whole - self.probe)))
