"""Techniques that add products of columns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from aurify.core.parts import Stage, Technique, Trait, knob
from aurify.core.types import Input, Layer, View, widened

MOST_ROWS = 20_000
"""Rows, evenly spread over the table, among which products are looked for."""

CHUNK_PAIRS = 256

FARTHEST = 4.0
"""Deviations at which a factor is cut: a product of two far values would outshout every other."""

# N rows, C candidate columns, P pairs, T targets (1 number or K class indicators), D columns of the design


@dataclass(kw_only=True)
class Interactions(Technique):
    """Add products of two number columns that tell of the target what the columns alone do not (Bien et al. 2013).

    Screened as by Hao & Zhang (2014): the target is fitted with every column and its square, and the products that
    correlate best with what is left are added, centred and scaled. Only products that stand out from what ``threshold``
    times pure chance would bring are taken (Donoho & Johnstone 1994). Helps: products that matter, such as area or rate
    times time, for linear and small networks above all. Hurts: where the network is large enough to find them, columns
    that are only noise; that a product was picked is no proof that it matters.
    """

    most: int = knob(10, "most products that are added", low=1, high=50, log=True, legal=(0, 1000))
    among: int = knob(40, "columns that are tried, those that correlate best first", low=10, high=100, legal=(2, 500))
    threshold: float = knob(
        1.0, "0: the best ones, 1: those beyond chance, above: stricter", low=0.5, high=3.0, legal=(0.0, 100.0)
    )
    needs = frozenset({Trait.COLUMNS})
    neutral = {"most": 0}
    vivid = {"threshold": 0.0}
    stage = Stage.SCALE
    order = 10
    stacks = True

    def layer(self, view: View) -> Layer | None:
        if self.most == 0 or "numbers" not in view.values:
            return None
        numbers = view.values["numbers"]
        centre = numbers.nanmean(0).nan_to_num(0.0)
        spread = (numbers - centre).square().nanmean(0).sqrt()
        spread = torch.where(torch.isfinite(spread) & (spread > 0), spread, 1.0)
        left, right = _screened(view, _standard(numbers, centre, spread).nan_to_num(0.0), self).T
        if not len(left):
            return None
        raw = Products(
            left=left, right=right, centre=centre, spread=spread, shift=torch.zeros(1), stretch=torch.ones(1)
        )
        products = raw.products(numbers)
        shift = products.nanmean(0)
        return Products(**{**raw.tensors(), "shift": shift, "stretch": (products - shift).square().nanmean(0).sqrt()})


def _standard(numbers: Tensor, centre: Tensor, spread: Tensor) -> Tensor:
    return ((numbers - centre) / spread).clamp(-FARTHEST, FARTHEST)


def _screened(view: View, z_NC: Tensor, wanted: Interactions) -> Tensor:
    """Pairs (P, 2) of columns whose products explain most of what the columns leave open, the best first."""
    step = -(-len(view) // MOST_ROWS)
    z_NC, weight, target = z_NC[::step], view.weight[::step], view.target[::step]
    root_N1 = (weight / weight.mean()).sqrt()[:, None]
    goal_NT = target[:, None].double() if view.classes is None else F.one_hot(target, len(view.classes)).double()
    goal_NT = goal_NT - (root_N1.square() * goal_NT).mean(0)
    alike_C = ((z_NC * root_N1).T @ (goal_NT * root_N1)).square().sum(1)
    # eight rows a candidate, so that something is left when each and its square are fitted
    tried = torch.argsort(alike_C, descending=True, stable=True)[: min(wanted.among, len(z_NC) // 8)].sort().values
    pairs_P2 = torch.combinations(tried)
    if not len(pairs_P2):
        return pairs_P2
    design_ND = torch.cat([torch.ones_like(root_N1), z_NC[:, tried], z_NC[:, tried].square()], 1) * root_N1
    axes, lengths, _ = torch.linalg.svd(design_ND, full_matrices=False)
    axes = axes[:, lengths > 1e-9 * lengths[0]]
    open_NT = goal_NT * root_N1
    open_NT = open_NT - axes @ (axes.T @ open_NT)
    share_P = torch.cat([_explained(z_NC, p, root_N1, axes, open_NT) for p in pairs_P2.split(CHUNK_PAIRS)])
    count = root_N1.square().sum().square() / root_N1.pow(4).sum()  # of rows, where some weigh more
    chance = 2 * math.log(max(len(pairs_P2), 2)) / count  # the best of so many products that mean nothing
    best = torch.argsort(share_P, descending=True, stable=True)[: wanted.most]
    return pairs_P2[best[share_P[best] > wanted.threshold**2 * chance]]


def _explained(z_NC: Tensor, pairs_P2: Tensor, root_N1: Tensor, axes: Tensor, open_NT: Tensor) -> Tensor:
    """Share (P,) of what is open that each product explains beyond the fitted ``axes``; 0 for one that adds nothing."""
    product_NP = z_NC[:, pairs_P2[:, 0]] * z_NC[:, pairs_P2[:, 1]] * root_N1
    before_P = product_NP.square().sum(0)
    product_NP = product_NP - axes @ (axes.T @ product_NP)
    own_P = product_NP.square().sum(0)
    share_P = (product_NP.T @ open_NT).square().sum(1) / (own_P * open_NT.square().sum())
    return torch.where(own_P > 1e-6 * before_P, share_P.nan_to_num(0.0), 0.0)


class Products(Layer):
    """Products of pairs (P,) of standardised numbers (C,), standardised again, after the numbers themselves."""

    left: Tensor
    right: Tensor
    centre: Tensor
    spread: Tensor
    shift: Tensor
    stretch: Tensor

    def products(self, numbers: Tensor) -> Tensor:
        z_BC = _standard(numbers, self.centre, self.spread)
        return (z_BC[:, self.left] * z_BC[:, self.right] - self.shift) / self.stretch

    def forward(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        return {**values, "numbers": torch.cat([values["numbers"], self.products(values["numbers"])], 1)}

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        names = before["numbers"].names
        more = [f"{names[one]} * {names[other]}" for one, other in zip(self.left, self.right, strict=True)]
        return {**before, "numbers": widened(before["numbers"], names=(*names, *more))}
