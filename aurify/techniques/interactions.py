"""Techniques that add what two columns say together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate, combinations

import torch
import torch.nn.functional as F
from torch import Tensor

from aurify.core.parts import Stage, Technique, Trait, knob
from aurify.core.types import Input, Layer, View, widened
from aurify.data.codes import UNKNOWN

MOST_ROWS = 20_000
"""Rows, evenly spread over the table, among which products are looked for."""

CHUNK_PAIRS = 256

SWEEPS = 10

LUCK = 20
"""One table in so many, or fewer, has a pair that means nothing and is taken."""

FARTHEST = 4.0
"""Deviations at which a factor is cut: a product of two far values would outshout every other."""

# N rows, C columns, P pairs, T targets (1 number or K class indicators), D columns of the design


@dataclass(kw_only=True)
class Interactions(Technique):
    """Add products of two number columns that tell of the target what the columns alone do not (Bien et al. 2013).

    Screened as by Hao & Zhang (2014): the target is fitted with every column and its square, and the products that
    correlate best with what is left are added, centred and scaled. Only products that stand out from what ``threshold``
    times pure chance would bring are taken (Donoho & Johnstone 1994). Helps: products that matter, such as area or rate
    times time, for linear and small networks above all. Hurts: where the network is large enough to find them, columns
    that are only noise; that a product was picked is no proof that it matters.
    """

    family = "features"
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
        sample = _sample(view)
        z_NC = _standard(sample.values["numbers"], centre, spread).nan_to_num(0.0)
        left, right = _products(z_NC, *_goal(sample), self).T
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


def _sample(view: View) -> View:
    """At most ``MOST_ROWS`` rows, evenly spread."""
    return view.take(torch.arange(0, len(view), -(-len(view) // MOST_ROWS)))


def _goal(view: View) -> tuple[Tensor, Tensor]:
    """Roots of the rows' weights (N, 1), of mean square 1, and the target times those (N, T), around its mean."""
    root_N1 = (view.weight / view.weight.mean()).sqrt()[:, None]
    target, classes = view.target, view.classes
    if view.several:
        goal_NT = target.double()
    else:
        goal_NT = target[:, None].double() if classes is None else F.one_hot(target, len(classes)).double()
    return root_N1, (goal_NT - (root_N1.square() * goal_NT).mean(0)) * root_N1


def _products(z_NC: Tensor, root_N1: Tensor, goal_NT: Tensor, wanted: Interactions) -> Tensor:
    """Pairs (P, 2) of columns whose products explain most of what the columns leave open, the best first."""
    alike_C = ((z_NC * root_N1).T @ goal_NT).square().sum(1)
    # eight rows a candidate, so that something is left when each and its square are fitted
    tried = torch.argsort(alike_C, descending=True, stable=True)[: min(wanted.among, len(z_NC) // 8)].sort().values
    pairs_P2 = torch.combinations(tried)
    if not len(pairs_P2):
        return pairs_P2
    design_ND = torch.cat([torch.ones_like(root_N1), z_NC[:, tried], z_NC[:, tried].square()], 1) * root_N1
    axes, lengths, _ = torch.linalg.svd(design_ND, full_matrices=False)
    axes = axes[:, lengths > 1e-9 * lengths[0]]
    open_NT = goal_NT - axes @ (axes.T @ goal_NT)
    share_P = torch.cat([_explained(z_NC, p, root_N1, axes, open_NT) for p in pairs_P2.split(CHUNK_PAIRS)])
    count = root_N1.square().sum().square() / root_N1.pow(4).sum()  # of rows, where some weigh more
    chance = 2 * math.log(LUCK * len(pairs_P2)) / count  # the best of so many products that mean nothing
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


@dataclass(kw_only=True)
class CrossCategories(Technique):
    """Add pairs of category columns as one category, where that tells more than the two alone (Luo et al. 2019).

    The target is fitted with every column, each value with an effect of its own; the pairs whose combinations explain
    most of what is left are added, if that is more than ``threshold`` times what chance would bring (Laurent & Massart
    2000). A combination that training has not seen is unknown. Helps: effects that depend on another column, such as
    contract by payment, for linear and small networks above all. Hurts: many rare combinations are learnt by heart;
    merge them with encode_categories.least.
    """

    family = "features"
    most: int = knob(5, "most pairs that are added", low=1, high=20, log=True, legal=(0, 1000))
    values: int = knob(50, "most values of a column that is tried", low=5, high=200, log=True, legal=(2, 1000))
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
        if self.most == 0 or "codes" not in view.values:
            return None
        codes, given = view.values["codes"], view.inputs["codes"]
        sample = _sample(view)
        pairs = _crosses(sample.values["codes"], *_goal(sample), self)
        if not pairs:
            return None
        tables, sizes = [], []
        for one, other in pairs:
            width = given.cardinalities[other] + 2  # with missing and unknown
            at = (codes[:, one] + 2) * width + codes[:, other] + 2
            seen = torch.bincount(at, minlength=(given.cardinalities[one] + 2) * width) > 0
            tables.append(torch.where(seen, torch.cumsum(seen, 0) - 1, UNKNOWN))
            sizes.append(int(seen.sum()))
        left, right = torch.tensor(pairs).T
        widths = torch.tensor([given.cardinalities[other] + 2 for _, other in pairs])
        starts = torch.tensor([0, *accumulate(len(table) for table in tables[:-1])])
        return Crosses(left=left, right=right, widths=widths, starts=starts, table=torch.cat(tables), sizes=sizes)


def _crosses(codes_NC: Tensor, root_N1: Tensor, goal_NT: Tensor, wanted: CrossCategories) -> list[tuple[int, int]]:
    """Pairs of columns whose combinations explain most of what the columns leave open, the best first."""
    ranks = [torch.unique(column, return_inverse=True)[1] for column in codes_NC.T]
    tried = [at for at, rank in enumerate(ranks) if 1 < int(rank.max()) + 1 <= wanted.values]
    weight_N1, open_NT = root_N1.square(), goal_NT
    for _ in range(SWEEPS):  # of backfitting: each column's effects given the others'
        for at in tried:
            open_NT = open_NT - root_N1 * _effects(ranks[at], root_N1, open_NT)[0][ranks[at]]
    pairs = list(combinations(tried, 2))
    whole = open_NT.square().sum()
    count = float(weight_N1.sum().square() / weight_N1.square().sum())  # of rows, where some weigh more
    chance = math.log(LUCK * max(len(pairs), 1))
    found = []
    for one, other in pairs:
        cells = torch.unique(ranks[one] * (int(ranks[other].max()) + 1) + ranks[other], return_inverse=True)[1]
        means, weights = _effects(cells, root_N1, open_NT)
        explained = count * float((weights * means.square()).sum() / whole) if whole > 0 else 0.0
        free = max(1, int(cells.max()) - int(ranks[one].max()) - int(ranks[other].max()))
        if explained > wanted.threshold * (free + 2 * math.sqrt(free * chance) + 2 * chance):
            found.append((free - explained, one, other))
    return [(one, other) for _, one, other in sorted(found)[: wanted.most]]


def _effects(at_N: Tensor, root_N1: Tensor, open_NT: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (G, T) of what is open in each of G groups, and the groups' weights (G, 1)."""
    groups = int(at_N.max()) + 1
    weights = torch.zeros(groups, 1, dtype=torch.float64).index_add(0, at_N, root_N1.square())
    sums = torch.zeros(groups, open_NT.shape[1], dtype=torch.float64).index_add(0, at_N, root_N1 * open_NT)
    return torch.where(weights > 0, sums / weights, 0.0), weights


class Crosses(Layer):
    """Codes of pairs (P,) of category columns, after the columns themselves; unknown what training has not seen."""

    left: Tensor
    right: Tensor
    widths: Tensor
    starts: Tensor
    table: Tensor
    sizes: list[int]

    def forward(self, values: dict[str, Tensor]) -> dict[str, Tensor]:
        codes = values["codes"]
        at = (codes[:, self.left] + 2) * self.widths + codes[:, self.right] + 2 + self.starts
        return {**values, "codes": torch.cat([codes, self.table[at]], 1)}

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        given = before["codes"]
        pairs = zip(self.left.tolist(), self.right.tolist(), strict=True)
        names = (*given.names, *(f"{given.names[one]} * {given.names[other]}" for one, other in pairs))
        return {**before, "codes": widened(given, names=names, cardinalities=(*given.cardinalities, *self.sizes))}
