"""How inputs enter a network: each kind of input encoded, partners blended after encoding, then joined."""

# B batch, C columns of one input, W width after encoding

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aurify.core.types import Blend, Input, Signature


class Plain(nn.Module):
    """Numbers as they are: (B, C) float to (B, C)."""

    def __init__(self, given: Input):
        super().__init__()
        self.width = len(given.names)

    def forward(self, x_BC: Tensor) -> Tensor:
        return x_BC


class Ordinal(Plain):
    """Codes as plain numbers: the bare entry of categories."""

    def forward(self, x_BC: Tensor) -> Tensor:
        return x_BC.float()


class OneHot(nn.Module):
    """Each code as a row of zeros with a single one: (B, C) int64 to (B, sum of cardinalities)."""

    def __init__(self, given: Input):
        super().__init__()
        self.cardinalities = given.cardinalities
        self.width = sum(given.cardinalities)

    def forward(self, x_BC: Tensor) -> Tensor:
        hot = [F.one_hot(x_BC[:, c], size) for c, size in enumerate(self.cardinalities)]
        return torch.cat(hot, 1).float()


class Embedding(nn.Module):
    """Each code as a learnt vector (Guo & Berkhahn 2016): (B, C) int64 to (B, sum of widths).

    A column of cardinality k gets min(``most``, ceil(1.6 k^0.56)) numbers, fastai's rule of thumb.
    """

    def __init__(self, given: Input, most: int):
        super().__init__()
        widths = [min(most, -int(-1.6 * k**0.56 // 1)) for k in given.cardinalities]
        self.tables = nn.ModuleList(nn.Embedding(k, w) for k, w in zip(given.cardinalities, widths, strict=True))
        self.width = sum(widths)

    def forward(self, x_BC: Tensor) -> Tensor:
        return torch.cat([table(x_BC[:, c]) for c, table in enumerate(self.tables)], 1)


class Entries(nn.Module):
    """All inputs of a signature side by side: a mapping of (B, C) tensors to (B, width).

    With a blend, each row is mixed with its partner after encoding, so codes are never averaged.
    """

    def __init__(self, signature: Signature):
        super().__init__()
        self.names = sorted(signature.inputs)
        modules = []
        for name in self.names:
            given = signature.inputs[name]
            assert given.entry is not None, f"input {name!r} has no entry"
            modules.append(given.entry(given))
        self.entries = nn.ModuleDict(dict(zip(self.names, modules, strict=True)))
        self.width: int = sum(m.width for m in modules)

    def forward(self, inputs: Mapping[str, Tensor], blend: Blend | None = None) -> Tensor:
        own_BW = self._encode(inputs)
        if blend is None:
            return own_BW
        return torch.lerp(self._encode(blend.inputs), own_BW, blend.share[:, None].to(own_BW.dtype))

    def _encode(self, inputs: Mapping[str, Tensor]) -> Tensor:
        parts = [entry(inputs[name]) for name, entry in self.entries.items()]
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)
