"""One training of a study: a recipe learnt and scored on parts of the rows, as plain data."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from aurify.catalog import Catalog
from aurify.core.errors import DivergedError
from aurify.core.folder import RunFolder
from aurify.core.recipe import Recipe
from aurify.core.run import Run
from aurify.core.watch import Watch
from aurify.data.prepare import weights
from aurify.data.splits import Parts
from aurify.data.store import Asked, Store
from aurify.measure.constant import constant_answer
from aurify.measure.intervals import row_weights
from aurify.measure.metrics import evaluator, metrics_for
from aurify.measure.predictions import Predictions
from aurify.ship.bundle import Bundle
from aurify.ship.make import make
from aurify.study.kept import Kept
from aurify.training.checkpoint import Keeper

MOST_POINTS = 60
"""Validations that are kept of a training."""


def measure(
    recipe: Recipe,
    store: Store,
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
    ``latency`` is per 1,000 rows answered. A training that diverged counts as answering what needs no network, the
    mean or the class shares, and says so. Raises Interrupted after a signal, and AurifyError for a recipe that cannot
    be trained on such data.
    """
    asked, runs = Asked(store.inputs, store.target, parts.test, store.roles), list[Run]()
    keeper = Keeper(None) if place is None else Keeper(_made(place), lasts=False)
    began = _now(device) + once.spared
    try:
        bundle, record = make(recipe, store, parts, device, keeper, watch, runs.append, once, share)
    except DivergedError as error:
        cost = {"seconds": _now(device) + once.spared - began, "latency": None, "parameters": None, "bytes": None}
        fallback = constant(store, parts, recipe.seed)
        if place is not None:
            fallback.write(place / kept(share).answers)
            _leave_no_rest(RunFolder(place))
        return {"scores": scores(fallback), **cost, "steps": None, "curve": [], "stopped": None, "diverged": str(error)}
    trained = _now(device)
    predictions = bundle.predictions(asked)
    answered = _now(device)
    if place is not None:
        _keep(RunFolder(place), bundle, predictions, catalog, share)
    return {
        "scores": scores(predictions),
        "seconds": trained + once.spared - began,
        "latency": 1000 * (answered - trained) / len(parts.test),
        "parameters": bundle.parameter_count,
        "bytes": len(bundle.to_bytes(catalog)),
        "steps": record["steps"],
        "curve": _curve(runs[-1]) if runs else [],
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


def _keep(place: RunFolder, bundle: Bundle, predictions: Predictions, catalog: Catalog, share: float) -> None:
    """Keep the model and its answers; once it is trained to its end, nothing else."""
    predictions.write(place.path / kept(share).answers)
    bundle.save(place.path / kept(share).model, catalog)
    if share >= 1:
        _leave_no_rest(place)
        for left in (*place.path.glob("model-*"), *place.path.glob("predictions-*")):
            left.unlink(missing_ok=True)


def _leave_no_rest(place: RunFolder) -> None:
    """Nothing will go on from here: what that would take goes."""
    shutil.rmtree(place.checkpoints, ignore_errors=True)
    place.progress.unlink(missing_ok=True)


def scores(predictions: Predictions) -> dict[str, float | None]:
    """Every metric on all rows; None where it is undefined."""
    metrics = metrics_for(predictions)
    values = evaluator(metrics, predictions)(row_weights(predictions)[None])[:, 0]
    return {m.name: float(v) if np.isfinite(v) else None for m, v in zip(metrics, values, strict=True)}


def _now(device: torch.device) -> float:
    """Seconds of this process, which other work beside it does not lengthen; of the clock where a device works."""
    if device.type == "cpu":
        return time.process_time()
    torch.cuda.synchronize(device)
    return time.monotonic()


def _curve(run: Run) -> list[list[float | None]]:
    """Epoch, held-out score and score on rows learnt from, of validations spread evenly over the training."""
    name = run.problem.score_name
    every = max(1, -(-len(run.log) // MOST_POINTS))
    return [[round(e["epoch"], 3), _digits(e[name]), _digits(e[f"train_{name}"])] for e in run.log[::-1][::every][::-1]]


def _digits(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.6g}")


def constant(store: Store, parts: Parts, seed: int) -> Predictions:
    """The mean, or the class shares, of the rows learnt from, for every tested row."""
    learnt, classes = np.concatenate([parts.fit, parts.held]), store.schema.classes
    weight, count = weights(store.roles, learnt), None if classes is None else len(classes)
    return Predictions.of_answer(
        constant_answer(store.target[learnt], weight, count, len(parts.test)),
        row=parts.test,
        target=np.array(store.target[parts.test]),
        classes=classes,
        several=store.schema.labels is not None,
        seed=seed,
        weight=weights(store.roles, parts.test) if "weight" in store.roles else None,
    )
