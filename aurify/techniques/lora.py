"""Low-rank adaptation."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from aurify.blocks.lora import linear_layers, make_low_rank
from aurify.core.parts import Technique, knob
from aurify.core.recipe import Recipe


@dataclass(kw_only=True)
class Lora(Technique):
    """Learn a low-rank change of each weight matrix instead of the matrix itself (LoRA, Hu et al. 2022).

    Matrices and biases of the linear layers stay as they began; a product of two thin matrices, zero at first,
    is added to each; the network's last layer, and all that is no linear layer, trains as ever. Helps: weights learnt
    elsewhere and few rows to adapt them with, a hundredth of the numbers to train. Hurts: training from the beginning,
    where what stays is random; nothing happens where no linear layer beside the last is twice the rank wide, as in
    ``bag`` and ``textcnn``. The pretrained encoder's own ``tuning=lora`` freezes the rest of it too.
    """

    family = "regularisation"
    rank: int = knob(8, "numbers between the two thin matrices; 0: off", low=1, high=64, log=True, legal=(0, 4096))
    scale: float = knob(2.0, "what the product is multiplied by", low=0.25, high=8.0, log=True, legal=(0.0, 1024.0))
    layers: str = knob(
        "all", "linear layers to change: all but the last, or those of attention", choices=("all", "attention")
    )
    neutral = {"rank": 0}
    vivid = {"rank": 2}

    def begin(self, model: nn.Module, recipe: Recipe) -> None:
        if self.rank:
            last = next(reversed(linear_layers(model)), "")
            make_low_rank(model, self.rank, self.scale, attention=self.layers == "attention", spare=last)
