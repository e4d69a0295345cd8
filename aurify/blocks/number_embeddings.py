"""Entries that give a network more of a number than its size: piecewise-linear and periodic embeddings."""

# B batch, C columns, J bins or frequencies of a column, T bins of all columns together, D numbers a column

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from aurify.core.types import Input

FARTHEST = 1e18

Edges = Sequence[Sequence[float]]
"""Where the bins of each column begin and end, ascending; at least two numbers a column."""


def ramps(edges: Sequence[float]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Slope, intercept, floor and ceiling (J,) of a column's bins: bin j says clamp(slope x + intercept).

    The outer sides of the first and the last bin go on, so that values beyond the training range stay apart.
    """
    begins, widths = torch.tensor(edges[:-1]), torch.tensor([b - a for a, b in pairwise(edges)])
    count = len(edges) - 1
    floor, ceiling = torch.zeros(count), torch.ones(count)
    floor[0], ceiling[-1] = -FARTHEST, FARTHEST  # not infinite: averages are taken over all numbers of a model
    return 1 / widths, -begins / widths, floor, ceiling


class PiecewiseEncoding(nn.Module):
    """How far a number is through each bin of its column (Gorishniy et al. 2022): (B, C) to (B, T).

    1 for the bins below, 0 for those above: a sum over them is any piecewise-linear function of the number.
    """

    slope: Tensor
    intercept: Tensor
    floor: Tensor
    ceiling: Tensor
    column: Tensor

    def __init__(self, given: Input, *, edges: Edges):
        super().__init__()
        assert len(edges) == len(given.names), "each column has bins of its own"
        self.widths = [len(e) - 1 for e in edges]
        self.width = sum(self.widths)
        names = ("slope", "intercept", "floor", "ceiling")
        for name, pieces in zip(names, zip(*map(ramps, edges), strict=True), strict=True):
            self.register_buffer(name, torch.cat(pieces))
        self.register_buffer("column", torch.tensor([c for c, width in enumerate(self.widths) for _ in range(width)]))

    def forward(self, x_BC: Tensor) -> Tensor:
        x_BT = x_BC.index_select(1, self.column)
        return torch.addcmul(self.intercept, self.slope, x_BT).clamp(self.floor, self.ceiling)


class PiecewiseLinear(nn.Module):
    """Learnt piecewise-linear curves of each number, beside a learnt line (Gorishniy et al. 2024): (B, C) to (B, C D).

    The curves begin at zero: at first the entry is the line alone.
    """

    FILLED_UP = ("slope", "intercept", "floor", "ceiling", "curves")  # a bin of zeros says 0

    slope: Tensor
    intercept: Tensor
    floor: Tensor
    ceiling: Tensor

    def __init__(self, given: Input, *, edges: Edges, width: int):
        super().__init__()
        count, bins = len(given.names), max(len(e) - 1 for e in edges)
        assert len(edges) == count, "each column has bins of its own"
        self.widths = [width] * count
        self.width = width * count
        names = ("slope", "intercept", "floor", "ceiling")
        for name, pieces in zip(names, zip(*map(ramps, edges), strict=True), strict=True):
            padded = [torch.cat([piece, torch.zeros(bins - len(piece))]) for piece in pieces]  # these say 0
            self.register_buffer(name, torch.stack(padded)[:, None])
        self.line = nn.Parameter(torch.empty(count, 1, width))
        self.level = nn.Parameter(torch.empty(count, 1, width))
        self.curves = nn.Parameter(torch.empty(count, bins, width))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        bound = self.line.shape[2] ** -0.5
        nn.init.uniform_(self.line, -bound, bound)
        nn.init.uniform_(self.level, -bound, bound)
        nn.init.zeros_(self.curves)

    def forward(self, x_BC: Tensor) -> Tensor:
        x_CB1 = x_BC.T[..., None]
        along_CBJ = torch.addcmul(self.intercept, self.slope, x_CB1).clamp(self.floor, self.ceiling)
        line_CBD = torch.addcmul(self.level, self.line, x_CB1)
        embedded_CBD = torch.baddbmm(line_CBD, along_CBJ, self.curves)
        return embedded_CBD.transpose(0, 1).flatten(1)


class Periodic(nn.Module):
    """Learnt waves of each number, mixed and rectified (Gorishniy et al. 2022): (B, C) to (B, C D).

    ``spread`` is the deviation of the first frequencies; ``lite`` mixes the waves of all columns with one matrix
    (Gorishniy et al. 2023).
    """

    def __init__(self, given: Input, *, frequencies: int, spread: float, width: int, lite: bool):
        super().__init__()
        count = len(given.names)
        self.widths = [width] * count
        self.width = width * count
        self.spread = spread
        self.frequency = nn.Parameter(torch.empty(count, frequencies))
        mixers = 1 if lite else count
        self.mix = nn.Parameter(torch.empty(mixers, 2 * frequencies, width))
        self.level = nn.Parameter(torch.empty(mixers, 1, width))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        nn.init.trunc_normal_(self.frequency, 0.0, self.spread, -3 * self.spread, 3 * self.spread)
        bound = self.mix.shape[1] ** -0.5
        nn.init.uniform_(self.mix, -bound, bound)
        nn.init.uniform_(self.level, -bound, bound)

    def forward(self, x_BC: Tensor) -> Tensor:
        angle_CBJ = 2 * math.pi * self.frequency[:, None] * x_BC.T[..., None]
        waves_CBJ = torch.cat([angle_CBJ.cos(), angle_CBJ.sin()], 2)
        return (waves_CBJ @ self.mix + self.level).relu().transpose(0, 1).flatten(1)
