"""The verbs: fit, evaluate, predict. Everything the command line and Python users call."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aurify import catalog as catalogs
from aurify.catalog import Catalog
from aurify.core import recipe as recipes
from aurify.core.errors import AurifyError
from aurify.core.files import read_json, write_bytes, write_json
from aurify.core.folder import RunFolder, fresh, named
from aurify.core.recipe import Recipe, Source
from aurify.core.run import Run
from aurify.core.watch import Watch
from aurify.data.store import Asked, Store
from aurify.measure.intervals import score_table
from aurify.measure.predictions import Predictions
from aurify.measure.verdict import main_metric, sentence
from aurify.ship.bundle import Answer, Bundle
from aurify.training import device as devices
from aurify.training import fit as loop
from aurify.training.checkpoint import Keeper

if TYPE_CHECKING:
    import polars as pl

Note = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a user asked of ``fit``, before the data is known."""

    data: Any = None
    recipe: Mapping[str, Any] | None = None
    source: Mapping[str, Any] | None = None
    settings: Sequence[str] = ()
    using: Sequence[str] = ()
    without: Sequence[str] = ()


class FittedRun:
    """A finished run: its recipe, its scores beside the baselines, and its model."""

    def __init__(self, path: Path, catalog: Catalog | None = None, device: str = "auto"):
        self.path = path
        self.folder = RunFolder(path)
        self._catalog = catalog or catalogs.load()
        self._device = device
        if not self.folder.bundle.exists():
            unfinished = "an unfinished run: go on with --resume" if self.folder.exists() else "not a run folder"
            raise AurifyError(f"{path} is {unfinished}")

    @cached_property
    def bundle(self) -> Bundle:
        return Bundle.load(self.folder.bundle, self._catalog, devices.choose(self._device))

    @cached_property
    def recipe(self) -> Recipe:
        return self._catalog.recipe(recipes.load_yaml(self.folder.recipe))

    @property
    def summary(self) -> dict[str, Any]:
        """All that ``fit`` printed, as plain data: scores, baselines, differences, verdict, openings, seconds."""
        return read_json(self.folder.scores)

    @property
    def scores(self) -> pl.DataFrame:
        """Every metric with its 95 % interval, of the network and of the baselines beside it."""
        import polars as pl

        summary = self.summary
        models = {"network": summary["scores"], **summary["baseline_scores"]}
        rows = [{"model": m, "metric": k, **v} for m, metrics in models.items() for k, v in metrics.items()]
        return pl.DataFrame(rows)

    def predict(self, data: Any) -> pl.DataFrame:
        """Predict a CSV path or data frame: ``prediction`` and ``p_<class>``, one row per example, in order."""
        return self.bundle.predict(data).to_frame()

    def __repr__(self) -> str:
        return f"<aurify run {self.path}: {self.summary['verdict'] if self.folder.finished() else 'not measured'}>"


def fit(
    data: Any = None,
    target: str | None = None,
    *,
    drop: Sequence[str] = (),
    test: str | Path | None = None,
    recipe: str | Path | Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | Sequence[str] = (),
    using: Sequence[str] = (),
    without: Sequence[str] = (),
    parts: Sequence[str | Path] = (),
    out: str | Path | None = None,
    force: bool = False,
    resume: bool = False,
    seed: int | None = None,
    seconds: float | None = None,
    device: str = "auto",
    threads: int | None = None,
    checkpoint_seconds: float | None = None,
    show: loop.Show = lambda run: None,
    note: Note = lambda text: None,
) -> FittedRun:
    """Read, split, prepare, train, measure: from a CSV path or data frame to a finished run folder.

    ``settings`` are ``{"network.width": 256}`` or ``["network.width=256"]``; ``using`` and ``without`` switch
    techniques. Raises AurifyError for anything the user can mend and Interrupted after SIGINT or SIGTERM, with
    everything saved for ``resume``.
    """
    began = time.monotonic()
    if isinstance(settings, Mapping):
        settings = [f"{k}={json.dumps(v)}" for k, v in settings.items()]
    plain = recipe if isinstance(recipe, Mapping) or recipe is None else recipes.load_yaml(Path(recipe))
    roles = {"target": target, "drop": list(drop) or None, "test": None if test is None else str(test)}
    roles |= {"path": str(data) if isinstance(data, (str, Path)) else None}
    source = {**((plain or {}).get("source") or {}), **{k: v for k, v in roles.items() if v is not None}}
    limits = [*settings, *([f"seed={seed}"] if seed is not None else [])]
    limits += [f"budget.seconds={seconds}"] if seconds is not None else []
    wish = Wish(
        data=source.get("path") if data is None else data,
        recipe=plain, source=source, settings=limits, using=using, without=without,
    )  # fmt: skip
    catalog = catalogs.load(parts)
    folder = _folder(wish, out, force=force, resume=resume)
    with Watch() as watch:
        folder.hold()
        try:
            if force and not resume:
                folder.clear()
            if folder.finished():
                note(f"{folder.path} is finished already: nothing to resume")
                return FittedRun(folder.path, catalog, device)
            chosen = devices.choose(device)
            final = _settle(wish, folder, catalog, note)
            if out is None:
                folder.mark_latest()
            watch.limit_seconds = final.budget.seconds
            _fix_environment(folder, chosen, threads, note)
            watch.check()
            _train(final, folder, catalog, chosen, watch, checkpoint_seconds, show, note)
            note("measuring the network and the baselines on the test part")
            _measure_fit(final, folder, catalog, chosen, watch, began)
            return FittedRun(folder.path, catalog, device)
        finally:
            folder.release()


def _folder(wish: Wish, out: str | Path | None, *, force: bool, resume: bool) -> RunFolder:
    """Where the run lives: a fresh folder, or with ``resume`` the one to go on in."""
    name = Path(wish.data).name if isinstance(wish.data, (str, Path)) else "frame"
    if out is not None:
        folder = RunFolder(Path(out))
        if folder.path.exists() and not folder.path.is_dir():
            raise AurifyError(f"--out {out} is a file; give a folder")
        if folder.exists() and not force and not resume:
            raise AurifyError(
                f"{out} holds a run already; go on with --resume, replace it with --force or choose --out"
            )
        if folder.path.exists() and not folder.exists() and folder.foreign():
            raise AurifyError(f"{out} holds files that are no run's; choose an empty or new folder")
        return folder
    if resume:
        past = named(name) if wish.data is not None else _latest()
        if past:
            return RunFolder(past[-1])
    if wish.data is None:
        raise AurifyError("give the data to fit: a CSV path, or a recipe with source.path")
    return RunFolder(fresh(name))


def _latest() -> list[Path]:
    link = Path("runs/latest")
    return [link.resolve()] if link.exists() else []


def _settle(wish: Wish, folder: RunFolder, catalog: Catalog, note: Note) -> Recipe:
    """Read the data once, settle every ``auto``, and write the complete recipe down; or take the one written."""
    begun = folder.begun()
    if begun and wish.data is None:
        _open_store(folder)
        return catalog.recipe(recipes.load_yaml(folder.recipe))
    if wish.data is None:
        raise AurifyError(f"{folder.path} holds nothing to resume; give the data")
    given = {"task": {"name": "table"}, **(wish.recipe or {})}
    given = catalogs.override({**given, "techniques": {}}, settings=[s for s in wish.settings if _of_task(s)])
    task: Any = catalog.part("task", given["task"])
    if begun:
        store, notes = _open_store(folder), []
    else:
        store, notes = task.read(Source.make(wish.source or {}), wish.data)
    task = task.settled(store)
    defaults = task.defaults(store)
    plain = {**defaults, **(wish.recipe or {}), "source": wish.source}
    if isinstance(plain["budget"] or {}, Mapping):
        plain["budget"] = {**defaults["budget"], **(plain["budget"] or {})}
    plain["task"] = {"name": task.name(), **task.settings()}
    others = [s for s in wish.settings if not _of_task(s)]
    recipe = catalog.recipe(catalogs.override(plain, settings=others, using=wish.using, without=wish.without))
    parts = task.part(recipe, store)  # refuses what cannot be parted before anything is written
    if begun:
        _require_same(catalog.recipe(recipes.load_yaml(folder.recipe)), recipe, folder)
        return recipe
    folder.clear()  # what lies there belongs to no whole run
    store.write(folder.store)
    write_json(folder.findings, [*notes, *parts.notes])
    write_bytes(folder.recipe, recipe.to_yaml().encode())
    for text in (*notes, *parts.notes):
        note(text)
    return recipe


def _open_store(folder: RunFolder) -> Store:
    """Open the data of an earlier sitting, every value verified."""
    store = Store.open(folder.store)
    store.verify(folder.store)
    return store


def _of_task(setting: str) -> bool:
    return setting.startswith(("task.", "task="))


def _require_same(old: Recipe, new: Recipe, folder: RunFolder) -> None:
    """A resumed run takes the recipe it began with; say what differs."""
    before, now = (_flat(r.plain()) for r in (old, new))
    changed = [k for k in {**before, **now} if before.get(k, "off") != now.get(k, "off")]
    if changed:
        first = changed[0]
        raise AurifyError(
            f"{folder.path} began with {first} = {before.get(first, 'off')}, now it is {now.get(first, 'off')}:"
            " --resume goes on with the same recipe; choose --out for another run"
        )


def _flat(plain: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in plain.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def _fix_environment(folder: RunFolder, device: Any, threads: int | None, note: Note) -> None:
    """Compute with the number of threads the run began with; say what else has changed since."""
    before: dict[str, Any] = read_json(folder.environment) if folder.environment.exists() else {}
    if before and threads not in (None, before["threads"]):
        raise AurifyError(
            f"{folder.path} began with {before['threads']} threads, another number gives other bits: drop --threads"
        )
    devices.set_threads(before.get("threads", threads))
    now = devices.environment(device)
    for key in before:
        if now.get(key) != before[key]:
            note(f"{key} was {before[key]} when the run began, now {now.get(key)}: the last bits may differ")
    if not before:
        write_json(folder.environment, now)


def _train(
    recipe: Recipe, folder: RunFolder, catalog: Catalog, device: Any, watch: Watch,
    checkpoint_seconds: float | None, show: loop.Show, note: Note,
) -> None:  # fmt: skip
    """Train and save the bundle, unless that is done."""
    if folder.bundle.exists():
        return
    store = Store.open(folder.store)
    parts = recipe.task.part(recipe, store)
    problem = recipe.task.problem(recipe, store, parts, device)
    watch.check()
    keeper = Keeper(folder, checkpoint_seconds, note)
    run: Run = loop.fit(recipe, problem, device, keeper, watch, show)
    answers = (*problem.answer_layers, *loop.answers(run))
    record = {"steps": run.step, "planned_steps": run.steps, "stopped": run.stopped, "seconds": round(watch.spent, 3)}
    write_json(folder.training, record)
    bundle = Bundle(recipe, store.schema, tuple(problem.layers), run.model, answers, device)
    bundle.save(folder.bundle, catalog)


def _measure_fit(recipe: Recipe, folder: RunFolder, catalog: Catalog, device: Any, watch: Watch, began: float) -> None:
    """Open the sealed test part once, score the model that will be shipped, and the baselines beside it."""
    store = Store.open(folder.store)
    parts = recipe.task.part(recipe, store)
    bundle = Bundle.load(folder.bundle, catalog, device)
    asked = Asked(store.inputs, store.target, parts.test)
    openings = folder.record_opening("fit", "the scores that fit ends with")
    predictions, summary = _measured(bundle, store, parts, asked, watch)
    predictions.write(folder.predictions)
    training = read_json(folder.training)
    extra = {"test_openings": openings, "training": training, "parameters": bundle.parameter_count}
    seconds = round(time.monotonic() - began, 3)
    write_json(folder.scores, {"run": str(folder.path), **summary, **extra, "seconds": seconds})


def _measured(
    bundle: Bundle, store: Store | None, parts: Any, asked: Asked, watch: Watch
) -> tuple[Predictions, dict[str, Any]]:
    """Predictions and the summary of their scores beside the baselines (none without the training rows)."""
    predictions = bundle.predictions(asked)
    sets = {"network": predictions}
    if store is not None:
        sets |= bundle.recipe.task.baselines(bundle.recipe, store, parts, asked, watch.check)
    table = score_table(sets, reference="network", seed=bundle.recipe.seed, check=watch.check)
    baselines = [name for name in sets if name != "network"]
    summary = {
        "scores": _plain_scores(table.scores["network"]),
        "baselines": {n: {k: v["value"] for k, v in _plain_scores(table.scores[n]).items()} for n in baselines},
        "baseline_scores": {n: _plain_scores(table.scores[n]) for n in baselines},
        "differences": {
            n: {k: {**_finite(d), "verdict": d.verdict} for k, d in table.differences[n].items()} for n in baselines
        },
        "main_metric": main_metric(table),
        "verdict": sentence(table),
        "rows": table.rows,
        "draws": table.draws,
    }
    return predictions, summary


def _plain_scores(scores: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: _finite(score) for name, score in scores.items()}


def _finite(score: Any) -> dict[str, Any]:
    """A score as JSON knows it: what is undefined is null."""
    numbers = {k: float(v) for k, v in asdict(score).items() if k in ("value", "low", "high")}
    return {k: v if np.isfinite(v) else None for k, v in numbers.items()}


def evaluate(
    run: str | Path,
    data: Any = None,
    *,
    parts: Sequence[str | Path] = (),
    out: str | Path | None = None,
    force: bool = False,
    device: str = "auto",
) -> dict[str, Any]:
    """Score a run on new labelled data, or once more on its sealed test part (the opening is counted).

    Returns plain data as in ``scores.json``. Raises AurifyError for data that lacks columns or labels.
    """
    began = time.monotonic()
    path, catalog, chosen = Path(run), catalogs.load(parts), devices.choose(device)
    folder = RunFolder(path) if path.is_dir() else None
    bundle = FittedRun(path, catalog, device).bundle if folder else Bundle.load(path, catalog, chosen)
    if data is None and folder is None:
        raise AurifyError(f"{path} is a model without its data; give labelled rows to evaluate it on")
    target = None if out is None else _free_folder(Path(out), force)
    with Watch() as watch:
        store = _open_store(folder) if folder else None
        parts_of = bundle.recipe.task.part(bundle.recipe, store) if store else None
        if data is None and store is not None and parts_of is not None:
            asked = Asked(store.inputs, store.target, parts_of.test)
        else:
            asked = bundle.recipe.task.ask(bundle.schema, data, labelled=True)
        openings = None
        if folder is not None and data is None:
            openings = folder.record_opening("evaluate", f"evaluate {time.time_ns()}")
        predictions, summary = _measured(bundle, store, parts_of, asked, watch)
    result = {"run": str(path), **summary, "notes": list(asked.notes), "test_openings": openings}
    result["seconds"] = round(time.monotonic() - began, 3)
    if target is not None:
        predictions.write(target / "predictions.parquet")
        write_json(target / "scores.json", result)
    return result


def _free_folder(path: Path, force: bool) -> Path:
    if (path / "scores.json").exists() and not force:
        raise AurifyError(f"{path} holds scores already; replace them with --force or choose another --out")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AurifyError(f"--out {path} cannot be made: {error.strerror}") from None
    return path


def predict(run: str | Path, data: Any, *, parts: Sequence[str | Path] = (), device: str = "auto") -> Answer:
    """Predict every row of a CSV path or data frame with a run or a model file."""
    return load_bundle(run, parts=parts, device=device).predict(data)


def load_bundle(run: str | Path, *, parts: Sequence[str | Path] = (), device: str = "auto") -> Bundle:
    path, catalog = Path(run), catalogs.load(parts)
    if path.is_dir():
        return FittedRun(path, catalog, device).bundle
    return Bundle.load(path, catalog, devices.choose(device))


def load(path: str | Path, *, parts: Sequence[str | Path] = (), device: str = "auto") -> FittedRun | Bundle:
    """Load a run folder (scores, recipe, model) or a model file; both have ``predict``."""
    if Path(path).is_dir():
        return FittedRun(Path(path), catalogs.load(parts), device)
    return load_bundle(path, parts=parts, device=device)
