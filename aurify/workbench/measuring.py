"""Score a model and the baselines beside it, on the sealed test part or on new labelled data."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from aurify import catalog as catalogs
from aurify.catalog import Catalog
from aurify.core.errors import AurifyError
from aurify.core.files import read_json, write_json
from aurify.core.folder import RunFolder
from aurify.core.watch import Watch
from aurify.data.splits import Parts, row_keys
from aurify.data.store import Asked, Store
from aurify.measure.intervals import score_table
from aurify.measure.predictions import Predictions
from aurify.measure.verdict import main_metric, sentence
from aurify.ship.bundle import Bundle
from aurify.training import device as devices
from aurify.workbench.runs import FittedRun


def evaluate(
    run: str | Path,
    data: Any = None,
    *,
    parts: Sequence[str | Path] = (),
    out: str | Path | None = None,
    force: bool = False,
    seed: int | None = None,
    device: str = "auto",
) -> dict[str, Any]:
    """Score a run on new labelled data, or once more on its sealed test part (the opening is counted).

    ``seed`` draws other resamples than the run's own. Returns plain data as in ``scores.json``. Raises AurifyError
    for data that lacks columns or labels.
    """
    began = time.monotonic()
    path, catalog = Path(run), catalogs.load(parts)
    folder = RunFolder(path) if path.is_dir() else None
    bundle = FittedRun(path, catalog, device).bundle if folder else Bundle.load(path, catalog, devices.choose(device))
    if data is None and folder is None:
        raise AurifyError(f"{path} is a model without its data; give labelled rows to evaluate it on")
    if out is not None and (Path(out) / "scores.json").exists() and not force:
        raise AurifyError(f"{out} holds scores already; replace them with --force or choose another --out")
    notes: list[str] = []
    with Watch() as watch:
        store = open_store(folder) if folder else None
        sealed = Parts.open(folder.parts) if folder else None
        if data is None and store is not None and sealed is not None and folder is not None:
            asked = Asked(store.inputs, store.target, sealed.test, store.roles)
            openings = open_test(folder, asked, "evaluate", f"evaluate {time.time_ns()}")
        else:
            asked, openings = bundle.recipe.task.ask(bundle.schema, data, labelled=True), None
            notes = [] if store is None or sealed is None else _overlap(store, sealed, asked)
        seed = bundle.recipe.seed if seed is None else seed
        predictions, summary = measured(bundle, store, sealed, asked, watch.check, seed)
    result = {"run": str(path), **summary, "notes": [*asked.notes, *notes], "test_openings": openings}
    result["seconds"] = round(time.monotonic() - began, 3)
    if out is not None:
        target = _made(Path(out))
        predictions.write(target / "predictions.parquet")
        write_json(target / "scores.json", result)
    return result


def measure_fit(folder: RunFolder, catalog: Catalog, device: Any, watch: Watch, began: float) -> None:
    """Open the sealed test part, score the model that will be shipped, and the baselines beside it."""
    store, parts = Store.open(folder.store), Parts.open(folder.parts)
    bundle = Bundle.load(folder.bundle, catalog, device)
    asked = Asked(store.inputs, store.target, parts.test, store.roles)
    shipped = hashlib.sha256(folder.bundle.read_bytes()).hexdigest()[:16]
    openings = open_test(folder, asked, "fit", f"fit {shipped}")  # the same model looked at twice is one look
    predictions, summary = measured(bundle, store, parts, asked, watch.check, bundle.recipe.seed)
    predictions.write(folder.predictions)
    extra = {
        "test_openings": openings,
        "training": read_json(folder.training),
        "parameters": bundle.parameter_count,
        "seconds": round(time.monotonic() - began, 3),
    }
    write_json(folder.scores, {"run": str(folder.path), **summary, **extra})


def _overlap(store: Store, parts: Parts, asked: Asked) -> list[str]:
    """Say when rows asked about were learnt from: their scores flatter."""
    learnt = np.concatenate([parts.fit, parts.held])
    known = row_keys(store.inputs[name][learnt] for name in sorted(store.inputs))
    seen = int(np.isin(row_keys(asked.inputs[name][asked.rows] for name in sorted(asked.inputs)), known).sum())
    share = f"{seen:,} of {len(asked.rows):,} rows have the same inputs as a training row: scores on them flatter"
    return [share] if seen else []


def open_store(folder: RunFolder) -> Store:
    """Open the data of an earlier sitting, every value verified."""
    store = Store.open(folder.store)
    store.verify(folder.store)
    return store


def open_test(folder: RunFolder, asked: Asked, verb: str, purpose: str) -> int:
    """Record that the sealed test part was looked at; returns how often, by this run and the runs beside it."""
    rows = np.ascontiguousarray(asked.rows), np.ascontiguousarray(asked.target[asked.rows])
    part = hashlib.blake2b(b"".join(v.tobytes() for v in rows), digest_size=16).hexdigest()
    return folder.record_opening(verb, purpose, part)


def measured(
    bundle: Bundle, store: Store | None, parts: Any, asked: Asked, check: Callable[[], None], seed: int
) -> tuple[Predictions, dict[str, Any]]:
    """Predictions and the summary of their scores beside the baselines (none without the training rows)."""
    sets = {name: alone.predictions(asked) for name, alone in bundle.apart().items()}
    model, *members = sets
    if store is not None:
        sets |= bundle.recipe.task.baselines(bundle.recipe, store, parts, asked, check)
    table = score_table(sets, reference=model, seed=seed, check=check)
    plain = {name: {k: _finite(v) for k, v in scores.items()} for name, scores in table.scores.items()}
    baselines = [name for name in sets if name not in (model, *members)]
    return sets[model], {
        "model": model,
        "scores": plain[model],
        "members": {n: plain[n] for n in members},
        "baselines": {n: {k: v["value"] for k, v in plain[n].items()} for n in baselines},
        "baseline_scores": {n: plain[n] for n in baselines},
        "differences": {
            n: {k: {**_finite(d), "verdict": d.verdict} for k, d in rows.items()}
            for n, rows in table.differences.items()
        },
        "greater_is_better": {k: v.greater_is_better for k, v in table.scores[model].items()},
        "main_metric": main_metric(table),
        "verdict": sentence(table),
        "rows": table.rows,
        "draws": table.draws,
    }


def _finite(score: Any) -> Mapping[str, float | None]:
    """A score as JSON knows it: what is undefined is null."""
    numbers = {k: float(v) for k, v in asdict(score).items() if k in ("value", "low", "high")}
    return {k: v if np.isfinite(v) else None for k, v in numbers.items()}


def _made(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AurifyError(f"--out {path} cannot be made: {error.strerror}") from None
    return path
