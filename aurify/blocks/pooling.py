"""One vector of many: what the tokens of a row say together, padding left out."""

# B rows, L tokens of the longest, D numbers of a token

from __future__ import annotations

import torch
from torch import Tensor, nn

from aurify.core.ragged import PAD


def real_tokens(ids_BL: Tensor) -> Tensor:
    """Where ids are tokens and not padding (B, L) bool; a row of padding alone counts as one token."""
    real_BL = ids_BL != PAD
    real_BL[:, 0] = True
    return real_BL


def lengths_of(real_BL: Tensor) -> Tensor:
    """The place after the last real token of each row (B,)."""
    places = torch.arange(1, real_BL.shape[1] + 1, device=real_BL.device)
    return (real_BL * places).amax(1)


class Mean(nn.Module):
    """The mean over real tokens: (B, L, D) to (B, D)."""

    def forward(self, x_BLD: Tensor, real_BL: Tensor) -> Tensor:
        there_BL1 = real_BL.unsqueeze(-1).to(x_BLD.dtype)
        return (x_BLD * there_BL1).sum(1) / there_BL1.sum(1)


class Max(nn.Module):
    """The largest of each number over real tokens (Collobert et al. 2011): (B, L, D) to (B, D)."""

    def forward(self, x_BLD: Tensor, real_BL: Tensor) -> Tensor:
        return x_BLD.masked_fill(~real_BL.unsqueeze(-1), -torch.inf).amax(1)


class AttentionPool(nn.Module):
    """A mean whose weights are learnt from what each token says (Yang et al. 2016): (B, L, D) to (B, D)."""

    def __init__(self, width: int):
        super().__init__()
        self.look = nn.Linear(width, width)
        self.rate = nn.Linear(width, 1, bias=False)

    def weights(self, x_BLD: Tensor, real_BL: Tensor) -> Tensor:
        """How much each token counts (B, L); padding counts nothing and a row sums to 1."""
        scores_BL = self.rate(self.look(x_BLD).tanh()).squeeze(-1)
        return scores_BL.masked_fill(~real_BL, -torch.inf).softmax(-1)

    def forward(self, x_BLD: Tensor, real_BL: Tensor) -> Tensor:
        return (self.weights(x_BLD, real_BL).unsqueeze(1) @ x_BLD).squeeze(1)


POOLS = ("mean", "max", "attention")


def pool(kind: str, width: int) -> nn.Module:
    """A module from tokens (B, L, ``width``) and where they are real (B, L) to (B, ``width``)."""
    return AttentionPool(width) if kind == "attention" else {"mean": Mean, "max": Max}[kind]()
