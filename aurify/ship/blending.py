"""Several models as one: their members side by side, the share of each fitted on held-out training rows."""

# N held-out rows

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from aurify.catalog import Catalog
from aurify.core import archive
from aurify.core import recipe as recipes
from aurify.core.recipe import Recipe
from aurify.data import prepare
from aurify.data.store import Asked
from aurify.ship.bundle import Bundle

SMALLEST = np.finfo(np.float64).eps


def blended(*shares: tuple[Bundle, float]) -> Bundle:
    """One Bundle that answers with the average of several, each with its share; they share recipe and schema."""
    members = [replace(m, weight=m.weight * share) for bundle, share in shares for m in bundle.members]
    return replace(shares[0][0], members=tuple(members))


def joined(files: Sequence[tuple[Path, float]], recipe: Recipe, catalog: Catalog) -> bytes:
    """The bytes of one Bundle of several model files, each with its share: of ``recipe``, others remembering theirs.

    No network is built. Raises AurifyError, as ``Bundle.load`` does, for a file that is no model.
    """
    members: list[dict[str, Any]] = []
    every: dict[str, Tensor] = {}
    schema: Any = None
    for path, share in files:
        document, tensors = archive.load(path, "model")
        schema = document["schema"]  # they share it
        plain = recipes.read_yaml(document["recipe"], f"the recipe in {path}")
        foreign = replace(catalog.recipe(plain), seed=recipe.seed) != recipe
        for at, member in enumerate(document["members"]):
            new, old = f"members/{len(members)}/", f"members/{at}/"
            every |= {new + name.removeprefix(old): t for name, t in tensors.items() if name.startswith(old)}
            own = {"recipe": member.get("recipe", document["recipe"])} if foreign or "recipe" in member else {}
            name = member["name"] if len(files) == 1 else f"{member['name']} {len(members) + 1}"
            members.append({**member, **own, "name": name, "weight": member["weight"] * share})
    return archive.to_bytes("model", {"recipe": recipe.to_yaml(), "schema": schema, "members": members}, every)


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
