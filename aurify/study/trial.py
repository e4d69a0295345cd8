"""Trainings of a study: recipes learnt and scored on parts of the examples, as plain data."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from aurify.catalog import Catalog
from aurify.core.errors import Apart, DivergedError
from aurify.core.folder import RunFolder
from aurify.core.recipe import Recipe
from aurify.core.run import Run
from aurify.core.watch import Watch
from aurify.data.splits import Parts
from aurify.data.store import Store
from aurify.ship.agents_apart import recipe_of, together
from aurify.ship.bundle import Bundle
from aurify.ship.make import make, make_together
from aurify.ship.make_agents import make_agents
from aurify.study.examples import Scored, examples, now
from aurify.study.kept import Kept
from aurify.training.checkpoint import Keeper
from aurify.training.fit import Show
from aurify.worlds.world import World

MOST_POINTS = 60
"""Validations that are kept of a training."""


def measure(
    recipe: Recipe,
    store: Store | World,
    parts: Parts,
    catalog: Catalog,
    device: torch.device,
    watch: Watch,
    once: Kept,
    share: float = 1.0,
    place: Path | None = None,
) -> dict[str, Any]:
    """Train on ``parts.fit`` and ``parts.held``, answer for ``parts.test``, and say how well and at what cost.

    With a ``place`` the model and its answers are kept there, and after less than the whole ``share`` of the steps what
    it takes to go on.

    ``seconds`` are those of a core (of the clock on an accelerator), with those of preparing that ``once`` spared;
    ``latency`` is per 1,000 rows answered. A training that diverged counts as what is left without a network, the
    mean, the class shares or acting at random, and says so. Raises Interrupted after a signal, and AurifyError for a
    recipe that cannot be trained on such data.
    """
    test, runs = examples(store, parts, recipe, watch.check), list[Run]()
    keeper = Keeper(None) if place is None else Keeper(_made(place), lasts=False)
    began = now(device) + once.spared
    try:
        try:
            bundle, record = make(recipe, store, parts, device, keeper, watch, runs.append, once, share)
        except Apart:
            bundle, record = _agents_apart(recipe, store, parts, device, watch, runs.append, share, place)
    except DivergedError as error:
        cost = {"seconds": now(device) + once.spared - began, "latency": None, "parameters": None, "bytes": None}
        fallback = test.without()
        if place is not None:
            fallback.write(place / kept(share).answers)
            _leave_no_rest(RunFolder(place))
        left = {"steps": None, "curve": [], "stopped": None, "diverged": str(error), "beside": 1}
        return {"scores": fallback.scores, **cost, **left}
    seconds = now(device) + once.spared - began
    curve = _curve(runs[-1].log, runs[-1].problem.score_name, test.along) if runs else []
    scored = test.scored(bundle, curve)
    if place is not None:
        _keep(RunFolder(place), bundle, scored, catalog, share)
    return {**_told(bundle, record, scored, curve, catalog), "seconds": seconds, "latency": scored.latency, "beside": 1}


def _agents_apart(
    recipe: Recipe,
    world: Any,
    parts: Parts,
    device: torch.device,
    watch: Watch,
    show: Show,
    share: float,
    place: Path | None,
) -> tuple[Bundle, dict[str, Any]]:
    """The agents of a recipe that cannot learn side by side, one after another; as ``make`` would."""
    made = []
    for agent in range(len(parts.fit)):
        keeper = Keeper(None) if place is None else Keeper(_made(RunFolder(place).agents / str(agent)), lasts=False)
        own = replace(parts, fit=parts.fit[:1])
        made.append(make(recipe_of(recipe, agent), world, own, device, keeper, watch, show, share=share))
    bundles, records = zip(*made, strict=True)
    return together(recipe, world, parts, bundles, watch.check), records[-1]


def measure_together(
    recipes: Sequence[Recipe],
    store: Store | World,
    parts: Sequence[Parts],
    catalog: Catalog,
    device: torch.device,
    watch: Watch,
    onces: Sequence[Kept],
) -> list[dict[str, Any]]:
    """What ``measure`` would say of each of recipes that differ by their seed alone, trained as one program.

    Nobody can tell what one of them alone would have cost. Raises Apart, saying why, where they have to be trained one
    after another.
    """
    runs = list[Run]()
    made = (
        make_agents(recipes, store, parts[0], device, watch, runs.append)
        if isinstance(store, World)
        else make_together(recipes, store, parts, device, watch, runs.append, onces)
    )
    found = []
    for recipe, own, (bundle, record) in zip(recipes, parts, made, strict=True):
        test = examples(store, own, recipe, watch.check)
        curve = _curve(record["log"], runs[-1].problem.score_name, test.along) if runs else []
        told = _told(bundle, record, test.scored(bundle, curve), curve, catalog)
        found.append({**told, "seconds": None, "latency": None, "beside": len(recipes)})
    return found


def _told(
    bundle: Bundle, record: Mapping[str, Any], scored: Scored, curve: list[list[float | None]], catalog: Catalog
) -> dict[str, Any]:
    return {
        "scores": scored.scores,
        "parameters": bundle.parameter_count,
        "bytes": len(bundle.to_bytes(catalog)),
        "steps": record["steps"],
        "curve": curve,
        "stopped": record["stopped"],
        "diverged": None,
    }


def _made(place: Path) -> RunFolder:
    place.mkdir(parents=True, exist_ok=True)
    return RunFolder(place)


@dataclass(frozen=True)
class Names:
    """What the files of a training are called."""

    model: str
    answers: str


def kept(share: float) -> Names:
    """Names of what is kept of a training up to a ``share`` of its steps: how far it is can be told from them."""
    mark = "" if share >= 1 else f"-{share:.4f}"
    return Names(f"model{mark}.aurify", f"predictions{mark}.parquet")


def _keep(place: RunFolder, bundle: Bundle, scored: Scored, catalog: Catalog, share: float) -> None:
    """Keep the model and its answers; once it is trained to its end, nothing else."""
    scored.write(place.path / kept(share).answers)
    bundle.save(place.path / kept(share).model, catalog)
    if share >= 1:
        _leave_no_rest(place)
        for left in (*place.path.glob("model-*"), *place.path.glob("predictions-*")):
            left.unlink(missing_ok=True)


def _leave_no_rest(place: RunFolder) -> None:
    """Nothing will go on from here: what that would take goes."""
    for folder in (place.checkpoints, place.agents):
        shutil.rmtree(folder, ignore_errors=True)
    place.progress.unlink(missing_ok=True)


def _curve(log: Sequence[Mapping[str, Any]], name: str, along: str) -> list[list[float | None]]:
    """How far, held-out score and score on what was learnt from, of validations spread evenly over the training."""
    log = list({each[along]: each for each in log}.values())  # the last one of a place
    every = max(1, -(-len(log) // MOST_POINTS))
    return [[round(e[along], 3), _digits(e[name]), _digits(e[f"train_{name}"])] for e in log[::-1][::every][::-1]]


def _digits(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")
