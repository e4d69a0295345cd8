"""Several models as one: their members side by side, the share of each fitted on held-out training rows."""

# N held-out rows

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from aurify.core.recipe import Recipe
from aurify.data import prepare
from aurify.data.store import Asked
from aurify.ship.bundle import Bundle
from aurify.ship.pipeline import Member

SMALLEST = np.finfo(np.float64).eps


def blended(*shares: tuple[Bundle, float]) -> Bundle:
    """One Bundle that answers with the average of several, each with its share; they share recipe and schema."""
    members = [replace(m, weight=m.weight * share) for bundle, share in shares for m in bundle.members]
    return replace(shares[0][0], members=tuple(members))


def averaged(shares: Sequence[tuple[Bundle, float]], recipe: Recipe) -> Bundle:
    """One Bundle of several, each with its share: of ``recipe``, those made by another one remembering theirs."""
    members: list[Member] = []
    for bundle, share in shares:
        foreign = replace(bundle.recipe, seed=recipe.seed) != recipe
        own = bundle.recipe if foreign else None
        members += [replace(m, weight=m.weight * share, recipe=m.recipe or own) for m in bundle.members]
    named = tuple(replace(m, name=f"{m.name} {at}") for at, m in enumerate(members, 1))
    return replace(shares[0][0], recipe=recipe, members=named)


def network_share(network: Bundle, other: Bundle, held: Asked) -> float:
    """The network's share, 0 to 1, of the average with the least log loss, or squared error, on held-out rows."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(_loss(network, other, held), bounds=(0, 1), method="bounded", options={"xatol": 1e-6})
    return round(float(found.x), 6)


def _loss(network: Bundle, other: Bundle, held: Asked) -> Callable[[float], float]:
    """Mean loss of a share; convex, so that there is one best."""
    ours, theirs = (bundle.predictions(held) for bundle in (network, other))
    weight, target = prepare.weights(held.roles, held.rows), held.target[held.rows]
    if ours.probabilities is None or theirs.probabilities is None:
        misses_N, theirs_N = ours.prediction - target, theirs.prediction - target
        return lambda share: float(np.average((share * misses_N + (1 - share) * theirs_N) ** 2, weights=weight))
    at = np.arange(len(target)), target
    ours_N, theirs_N = ours.probabilities[at], theirs.probabilities[at]
    return lambda share: float(
        -np.average(np.log((share * ours_N + (1 - share) * theirs_N).clip(SMALLEST)), weights=weight)
    )
