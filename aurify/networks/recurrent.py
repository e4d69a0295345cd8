"""Networks that read a text word by word."""

# B batch, L tokens of the longest, D numbers of a token, S numbers of a state

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from aurify.blocks.dropout import Dropout
from aurify.blocks.pooling import POOLS, lengths_of, pool, real_tokens
from aurify.blocks.text_head import TextHead, TextNetwork, token_input
from aurify.blocks.word_table import WordTable
from aurify.core.parts import Trait, knob
from aurify.core.types import Signature


class Lstm(nn.LSTM):
    """An LSTM that begins by remembering: forget gates open by 1 (Jozefowicz et al. 2015)."""

    def reset_parameters(self) -> None:
        super().reset_parameters()
        forget: Tensor = self.get_parameter("bias_ih_l0")[self.hidden_size : 2 * self.hidden_size]
        with torch.no_grad():
            forget += 1


CELLS = {"lstm": Lstm, "gru": nn.GRU, "rnn": nn.RNN}


@dataclass(kw_only=True)
class Recurrent(TextNetwork):
    """Read a text word by word with a memory, forwards and backwards, and weigh what was understood at each.

    LSTM (Hochreiter & Schmidhuber 1997), GRU (Cho et al. 2014) or a plain recurrent network (Elman 1990); both
    directions: Schuster & Paliwal 1997; attention: Yang et al. 2016. Helps: order over a whole sentence, thousands of
    texts. Hurts: long texts, whose words it must take one after another; few texts.
    """

    needs = frozenset({Trait.TEXTS})
    width: int = knob(64, "numbers of each token's vector", low=16, high=256, log=True, legal=(1, 4096))
    units: int = knob(64, "numbers of a state, in each direction", low=16, high=256, log=True, legal=(1, 4096))
    depth: int = knob(1, "layers of states", low=1, high=3, legal=(1, 32))
    cell: str = knob("lstm", "how a state takes in the next token", choices=tuple(CELLS))
    both: bool = knob(True, "read backwards too")
    pool: str = knob("attention", "what is made of the states", choices=(*POOLS, "last"))

    def build(self, signature: Signature) -> nn.Module:
        read = _Recurrent(self, self.table(token_input(signature), self.width))
        return TextHead(read, read.width, signature, self.units)


class _Recurrent(nn.Module):
    def __init__(self, settings: Recurrent, table: WordTable):
        super().__init__()
        self.table, self.drop = table, Dropout()
        self.width = settings.units * (2 if settings.both else 1)
        sizes = [settings.width] + [self.width] * (settings.depth - 1)
        self.layers = nn.ModuleList(_Layer(settings, size) for size in sizes)
        self.pool = None if settings.pool == "last" else pool(settings.pool, self.width)

    def forward(self, ids_BL: Tensor) -> Tensor:
        real_BL = real_tokens(ids_BL)
        back_BL = backwards(lengths_of(real_BL), ids_BL.shape[1])
        x_BLS = self.table(ids_BL)
        for layer in self.layers:
            x_BLS = layer(self.drop(x_BLS), back_BL)
        return self._ends(x_BLS, back_BL) if self.pool is None else self.pool(x_BLS, real_BL)

    def _ends(self, x_BLS: Tensor, back_BL: Tensor) -> Tensor:
        """The state after the last token, and of the way back the one after the first."""
        last_BS = x_BLS[torch.arange(len(x_BLS), device=x_BLS.device), back_BL[:, 0]]
        half = self.layers[0].units
        return torch.cat([last_BS[:, :half], x_BLS[:, 0, half:]], 1)


def backwards(lengths_B: Tensor, width: int) -> Tensor:
    """The places (B, L) that turn each row round within its own length; padding stays where it is."""
    places_L = torch.arange(width, device=lengths_B.device)
    turned_BL = lengths_B[:, None] - 1 - places_L
    return torch.where(turned_BL >= 0, turned_BL, places_L)


class _Layer(nn.Module):
    """States after each token (B, L, S). A row turned round is read like any other: nothing need be packed."""

    def __init__(self, settings: Recurrent, size: int):
        super().__init__()
        self.units = settings.units
        cell = CELLS[settings.cell]
        self.ahead = cell(size, settings.units, batch_first=True)
        self.back = cell(size, settings.units, batch_first=True) if settings.both else None

    def forward(self, x_BLD: Tensor, back_BL: Tensor) -> Tensor:
        ahead_BLS, _ = self.ahead(x_BLD)
        if self.back is None:
            return ahead_BLS
        back_BLS, _ = self.back(_turned(x_BLD, back_BL))
        return torch.cat([ahead_BLS, _turned(back_BLS, back_BL)], -1)


def _turned(x_BLD: Tensor, back_BL: Tensor) -> Tensor:
    return x_BLD.gather(1, back_BL.unsqueeze(-1).expand_as(x_BLD))
