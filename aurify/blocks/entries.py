"""How inputs enter a network: each kind of input encoded, partners blended after encoding, then joined."""

# B batch, C columns of one input, W width after encoding

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import accumulate
from math import ceil

import torch
from torch import Tensor, nn

from aurify.blocks.picture import Picture
from aurify.core.types import Blend, Input, Signature


class Plain(nn.Module):
    """Numbers as they are: (B, C) float to (B, C)."""

    def __init__(self, given: Input):
        super().__init__()
        self.width = len(given.names)
        self.widths = [1] * self.width

    def forward(self, x_BC: Tensor) -> Tensor:
        return x_BC


class Ordinal(Plain):
    """Codes as plain numbers: the bare entry of categories."""

    def forward(self, x_BC: Tensor) -> Tensor:
        return x_BC.float()


class Flat(nn.Module):
    """Images as rows of numbers: (B, H, W, C) bytes, or (B, C, H, W) in [0, 1], to (B, H * W * C)."""

    def __init__(self, given: Input):
        super().__init__()
        self.enter = Picture(given)
        self.width = math.prod(given.shape)
        self.widths = [self.width]

    def forward(self, x: Tensor) -> Tensor:
        return self.enter(x).flatten(1)


class Categories(nn.Module):
    """Codes as one-hot rows or as learnt vectors (Guo & Berkhahn 2016): (B, C) int64 to (B, width).

    Columns of at most ``hot_up_to`` codes are one-hot; a wider one of k codes gets min(``most``, ceil(1.6 k^0.56))
    learnt numbers a code, fastai's rule of thumb.
    """

    hot_starts: Tensor

    def __init__(self, given: Input, *, hot_up_to: int, most: int):
        super().__init__()
        sizes = given.cardinalities
        self.hot = [c for c, k in enumerate(sizes) if k <= hot_up_to]
        self.learnt = [c for c, k in enumerate(sizes) if k > hot_up_to]
        starts = [0, *accumulate(sizes[c] for c in self.hot)]
        self.hot_width = starts.pop()
        self.register_buffer("hot_starts", torch.tensor(starts, dtype=torch.int64))
        widths = [min(most, ceil(1.6 * sizes[c] ** 0.56)) for c in self.learnt]
        self.tables = nn.ModuleList(nn.Embedding(sizes[c], w) for c, w in zip(self.learnt, widths, strict=True))
        self.widths = widths + [sizes[c] for c in self.hot]  # numbers a column, in the order of the output
        self.width = sum(self.widths)

    def forward(self, x_BC: Tensor) -> Tensor:
        parts = [table(x_BC[:, c]) for c, table in zip(self.learnt, self.tables, strict=True)]
        if self.hot:
            at_BH = x_BC[:, self.hot] + self.hot_starts
            zeros = torch.zeros(
                x_BC.shape[0], self.hot_width, device=x_BC.device
            )  # len() would fix the rows of a graph
            parts.append(zeros.scatter(1, at_BH, 1.0))
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)


class Entries(nn.Module):
    """All inputs of a signature side by side: a mapping of (B, C) tensors to (B, width).

    ``widths`` are how many numbers each column became, in the order in which they come out. With a blend, each row is
    mixed with its partner after encoding, so codes are never averaged.
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
        self.widths: list[int] = [width for m in modules for width in m.widths]
        self.width = sum(self.widths)

    def forward(self, inputs: Mapping[str, Tensor], blend: Blend | None = None) -> Tensor:
        own_BW = self._encode(inputs)
        if blend is None:
            return own_BW
        return torch.lerp(self._encode(blend.inputs), own_BW, blend.share[:, None].to(own_BW.dtype))

    def _encode(self, inputs: Mapping[str, Tensor]) -> Tensor:
        parts = [entry(inputs[name]) for name, entry in self.entries.items()]
        return parts[0] if len(parts) == 1 else torch.cat(parts, 1)
