"""Attention, and the transformer block around it."""

# B batch, T tokens, Q tokens that ask, D width of a token, H heads

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aurify.blocks.activations import ReGLU
from aurify.blocks.drop_path import DropPath
from aurify.blocks.dropout import Dropout


class Attention(nn.Module):
    """Each asking token takes in a weighted mean of what the tokens offer, per head (Vaswani et al. 2017).

    ``heads`` must divide ``width``. Without ``drop_weights`` no weight is ever dropped: of long rows drawing the masks
    would take longer than all the rest.
    """

    def __init__(self, width: int, heads: int, drop_weights: bool = True):
        super().__init__()
        assert width % heads == 0, f"{heads} heads do not divide {width}"
        self.heads = heads
        self.ask = nn.Linear(width, width)
        self.offer = nn.Linear(width, 2 * width)
        self.leave = nn.Linear(width, width)
        self.drop = Dropout() if drop_weights else None

    def forward(self, asking_BQD: Tensor, x_BTD: Tensor, real_BT: Tensor | None = None) -> Tensor:
        """(B, Q, D) of what the asking tokens took in; where ``real_BT`` is false there is only padding."""
        q_BHQd = self._parted(self.ask(asking_BQD))
        k_BHTd, v_BHTd = (self._parted(each) for each in self.offer(x_BTD).chunk(2, -1))
        seen_B11T = None if real_BT is None else real_BT[:, None, None]
        if self.training and self.drop is not None and self.drop.rate > 0:  # torch's own dropout is not keyed
            scores_BHQT = q_BHQd @ k_BHTd.mT * q_BHQd.shape[-1] ** -0.5
            if seen_B11T is not None:
                scores_BHQT = scores_BHQT.masked_fill(~seen_B11T, -torch.inf)
            y_BHQd = self.drop(scores_BHQT.softmax(-1)) @ v_BHTd
        else:
            y_BHQd = F.scaled_dot_product_attention(q_BHQd, k_BHTd, v_BHTd, attn_mask=seen_B11T)
        return self.leave(y_BHQd.transpose(1, 2).flatten(2))

    def _parted(self, x_BTD: Tensor) -> Tensor:
        return x_BTD.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class FeedForward(nn.Module):
    """Two layers applied to each token alone; as many weights with ``reglu`` as with ``gelu``: (..., D) to (..., D)."""

    def __init__(self, width: int, activation: str):
        super().__init__()
        hidden = {"reglu": round(width * 4 / 3), "gelu": 2 * width}[activation]
        gated = activation == "reglu"
        self.enter = nn.Linear(width, 2 * hidden if gated else hidden)
        self.activate = ReGLU() if gated else nn.GELU()
        self.drop = Dropout()
        self.leave = nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.leave(self.drop(self.activate(self.enter(x))))


class TransformerBlock(nn.Module):
    """Attention, then a feed-forward layer, each beside a plain path and after a norm (Xiong et al. 2020)."""

    def __init__(self, width: int, heads: int, activation: str, norm_first: bool = True, drop_weights: bool = True):
        super().__init__()
        self.norms = nn.ModuleList([nn.LayerNorm(width) if norm_first else nn.Identity(), nn.LayerNorm(width)])
        self.attend = Attention(width, heads, drop_weights)
        self.think = FeedForward(width, activation)
        self.skips = nn.ModuleList([DropPath(), DropPath()])

    def forward(self, x_BTD: Tensor, asking: int | None = None, real_BT: Tensor | None = None) -> Tensor:
        """The first ``asking`` tokens, or all of them, after the block: (B, Q, D)."""
        normed_BTD = self.norms[0](x_BTD)
        # contiguous: one product for all rows; one a row is slower, and its last bits depend on where weights lie
        y_BQD = self.attend(normed_BTD[:, :asking].contiguous(), normed_BTD, real_BT)
        x_BQD = x_BTD[:, :asking] + self.skips[0](y_BQD)
        return x_BQD + self.skips[1](self.think(self.norms[1](x_BQD)))
