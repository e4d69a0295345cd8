"""Techniques that change how many training rows each class has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from aurify.core import rng
from aurify.core.parts import Technique, Trait, knob
from aurify.core.ragged import Ragged
from aurify.core.types import RowPlan, View
from aurify.data.prepare import column_quantiles

MOST_TIMES = 10
TEXT_PLACES, LONGEST_TEXT = 2**14, 1000
"""Into which pairs of characters are hashed, and characters that are looked at, where texts are compared."""

MOST_CANDIDATES = 10_000
"""Rows of a class among which neighbours are looked for."""

FARTHEST = 1e6


@dataclass(kw_only=True)
class Resample(Technique):
    """Repeat rows of rare classes, or learn without some rows of common ones (Japkowicz & Stephen 2002).

    balance_classes reaches the same class totals by weights. Prefer ``over`` to it where a rare class is in few
    batches, so that its gradient comes in jolts; prefer ``under`` where there is more of the common class than time.
    Helps: recall, balanced accuracy and macro F1 of rare classes. Hurts: log loss and calibration, since class
    frequencies are no longer those that will be met; ``over`` invites learning the repeated rows by heart, ``under``
    throws information away.
    """

    family = "balancing"
    method: str = knob("over", "repeat the rare or leave out the common", choices=("over", "under"))
    strength: float = knob(1.0, "0: as they are, 1: all classes as large as the largest or smallest", low=0.0, high=1.0)
    needs = frozenset({Trait.CATEGORICAL})
    neutral = {"strength": 0.0}
    stacks = True
    order = -3

    def rows(self, view: View, plan: RowPlan) -> RowPlan:
        random = np.random.Generator(np.random.PCG64(rng.key(view.seed, "resample")))
        target = plan.targets(view.target)
        chosen = []
        for members, wanted in _wanted(target, plan.weight, self.strength, over=self.method == "over"):
            # whole rounds first: no row is repeated more than once more often than another of its class
            rounds, rest = divmod(wanted, len(members))
            chosen += [members.repeat(rounds), members[torch.from_numpy(random.permutation(len(members))[:rest])]]
        return plan.keep(torch.cat(chosen).sort().values)


@dataclass(kw_only=True)
class Smote(Technique):
    """Give rare classes new rows between two near rows of the class (Chawla et al. 2002).

    Partners are among the ``neighbours`` nearest rows by robustly scaled numbers, as in SMOTE-NC a constant for each
    category that differs, and for texts the characters and pairs of them that they share; a pair is blended after
    encoding, so codes and missing values are never averaged. Helps: as resample does, with less learning by heart.
    Hurts: log loss and calibration as resample does; classes that lie between others, or in several separate places,
    get rows where others are.
    """

    family = "balancing"
    strength: float = knob(1.0, "0: no new rows, 1: all classes as large as the largest", low=0.0, high=1.0)
    neighbours: int = knob(5, "nearest rows that a partner is drawn from", low=1, high=20, log=True, legal=(1, 1000))
    needs = frozenset({Trait.CATEGORICAL, Trait.COLUMNS, Trait.BLENDABLE})
    neutral = {"strength": 0.0}
    slot = "blend"
    stacks = True
    order = -2

    def rows(self, view: View, plan: RowPlan) -> RowPlan:
        random = np.random.Generator(np.random.PCG64(rng.key(view.seed, "smote")))
        target = plan.targets(view.target)
        own, partner = [], []
        for members, wanted in _wanted(target, plan.weight, self.strength, over=True):
            more = wanted - len(members)
            if more > 0 and len(members) > 1:
                rounds = [random.permutation(len(members)) for _ in range(-(-more // len(members)))]
                at = np.concatenate(rounds)[:more]
                own.append(members[torch.from_numpy(at)])
                near = _near(view.take(plan.index[members]), at, self.neighbours, random)
                partner.append(members[torch.from_numpy(near)])
        if not own:
            return plan
        index, count = plan.index, len(plan.index)
        grown = plan.keep(torch.cat([torch.arange(count), *own]))
        share = torch.ones(len(grown.index))
        share[count:] = torch.from_numpy(random.random(len(share) - count)).float()
        return replace(grown, partner=torch.cat([index, index[torch.cat(partner)]]), share=share)


def _wanted(target: Tensor, weight: Tensor, strength: float, *, over: bool) -> list[tuple[Tensor, int]]:
    """Positions of each class and how many of them there should be, classes measured by their weight.

    No class grows beyond ten times the number of all rows, however little it weighs.
    """
    totals = torch.bincount(target, weight)
    goal = totals.max() if over else totals[totals > 0].min()
    found = []
    for code in torch.unique(target).tolist():
        members = torch.nonzero(target == code)[:, 0]
        factor = float(goal / totals[code]) if totals[code] > 0 else 1.0
        wanted = round(len(members) * (1 + strength * (factor - 1)))
        found.append((members, min(max(1, wanted), MOST_TIMES * len(target))))
    return found


def _near(members: View, at: np.ndarray, neighbours: int, random: np.random.Generator) -> np.ndarray:
    """For each of the rows ``at`` (L,) one of its nearest other rows, drawn evenly; positions among ``members``."""
    from sklearn.neighbors import NearestNeighbors

    places = _places(members)
    pool = np.sort(random.permutation(len(members))[:MOST_CANDIDATES])
    asked, inverse = np.unique(at, return_inverse=True)
    count = min(neighbours + 1, len(pool))
    found = NearestNeighbors(n_neighbors=count).fit(places[pool]).kneighbors(places[asked], return_distance=False)
    # itself goes to the end, or else the farthest: always count - 1 others remain
    near = np.take_along_axis(pool[found], np.argsort(pool[found] == asked[:, None], 1, kind="stable"), 1)[:, :-1]
    return near[inverse, random.integers(0, near.shape[1], len(at))]


def _places(members: View) -> Any:
    """Rows as points (N, F), sparse where that is wide, whose distances are those of SMOTE-NC."""
    from scipy.sparse import csr_array, hstack

    blocks: list[Any] = [np.zeros((len(members), 1))]
    for name, values in members.table.items():
        if members.inputs[name].kind != "codes":
            low, middle, high = (column_quantiles(values, q) for q in (0.25, 0.5, 0.75))
            centred = torch.nan_to_num(values - middle).clamp(-1e300, 1e300)
            spread = torch.where(high > low, 0.7413 * (high - low), centred.abs().mean(0))
            scaled = torch.where(spread > 0, centred / spread, 0.0)
            blocks.append(scaled.clamp(-FARTHEST, FARTHEST).numpy())
            continue
        for column in values.numpy().T:
            seen, at = np.unique(column, return_inverse=True)
            # two codes that differ are 1 apart, as far as one spread of a number
            ones = np.full(len(at), 0.5**0.5)
            blocks.append(csr_array((ones, (np.arange(len(at)), at)), shape=(len(at), len(seen))))
    if "texts" in members.values:
        blocks += _text_places(members.values["texts"])
    width = sum(block.shape[1] for block in blocks)
    joined: Any = hstack([csr_array(block) for block in blocks], format="csr")
    return joined.toarray() if width <= 64 else joined


def _text_places(texts: Ragged) -> list[Any]:
    """Each column of texts as points (N, TEXT_PLACES) on a sphere: two that share nothing are farthest apart."""
    from sklearn.feature_extraction.text import HashingVectorizer

    counts = HashingVectorizer(analyzer="char", ngram_range=(1, 2), n_features=TEXT_PLACES, alternate_sign=False)
    return [counts.transform(column) for column in zip(*texts.first(LONGEST_TEXT).texts(), strict=True)]
