"""The verb tune: better settings for a recipe within a budget, and what they are worth."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import aurify
from aurify.catalog import Catalog
from aurify.core.errors import AurifyError
from aurify.core.files import read_record, write_bytes, write_json
from aurify.core.folder import RunFolder, compared, tuned
from aurify.core.recipe import Recipe, load_yaml, read_plain
from aurify.core.watch import Watch
from aurify.core.words import keep, said
from aurify.data.findings import Findings
from aurify.report import page
from aurify.report.notebook import Plots
from aurify.ship.bundle import Bundle
from aurify.study.answers import Answers
from aurify.study.database import database
from aurify.study.portfolio import Held, portfolio
from aurify.study.shared import Shared
from aurify.study.space import EVERY, Space, space_of
from aurify.study.trainings import Trainings
from aurify.study.workers import worker_count
from aurify.training import device as devices
from aurify.workbench.asked import Asked, RecipeWords, asked_of, takes
from aurify.workbench.goal import Goal
from aurify.workbench.hunting import Hunt, Searching, keep_environment
from aurify.workbench.record import read_trials, shown
from aurify.workbench.reporting import require_language
from aurify.workbench.runs import FittedRun
from aurify.workbench.settling import lines, settle
from aurify.workbench.studying import Room, is_run, started, subject_asked
from aurify.workbench.wish import Wish

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Tuned:
    """A finished search: ``plain`` is all there is to tell, as in tuning.json; ``trials`` as a frame; the model."""

    path: Path
    plain: Mapping[str, Any]
    catalog: Catalog
    device: str

    @property
    def trials(self) -> pl.DataFrame:
        """One row a trial: number, state, score, each setting, seconds."""
        return FittedRun(self.path, self.catalog, self.device).trials

    @property
    def listed(self) -> list[dict[str, Any]]:
        """The trials as trials.json has them."""
        return read_trials(RunFolder(self.path))

    @cached_property
    def bundle(self) -> Bundle:
        """The best model so far: the winner's fold models averaged, or several trials together."""
        return FittedRun(self.path, self.catalog, self.device).bundle

    def predict(self, data: Any) -> pl.DataFrame:
        """Predict a file or data frame: ``prediction`` and ``p_<class>``, one row per example, in order."""
        return self.bundle.predict(data)

    @property
    def plot(self) -> Plots:
        """The charts of its page as figures; ``dir(tuned.plot)`` names them."""
        return Plots(lambda: shown(RunFolder(self.path), self.catalog, "en"))

    @property
    def report(self) -> Path:
        return RunFolder(self.path).report

    def __repr__(self) -> str:
        best = self.plain["best"]
        return f"<aurify tuning {self.path}: {self.plain['metric']} {best['score']:.4g} (trial {best['number']})>"


@takes(RecipeWords)
def tune(
    source: Any = None,
    target: Any = None,
    *,
    seconds: float | None = None,
    trials: int | None = None,
    method: str = "auto",
    knobs: Sequence[str] = (),
    space: str | Path | Mapping[str, Any] | None = None,
    metric: str | None = None,
    objectives: Sequence[str] = (),
    folds: int | None = None,
    nested: bool = False,
    ensemble: bool = True,
    compare: Sequence[str] = (),
    repeats: int = 5,
    steps: int | None = None,
    seeds: int | None = None,
    workers: int | None = None,
    storage: str | None = None,
    inspect: bool = True,
    out: str | Path | None = None,
    force: bool = False,
    seed: int | None = None,
    language: str = "en",
    device: str = "auto",
    progress: Searching = lambda done, total, best, running, left, what: None,
    note: Callable[[str], None] = lambda text: None,
    tell: Callable[[Findings], None] | None = None,
    **words: Unpack[RecipeWords],
) -> Tuned:
    """Look for better settings of a recipe, for ``seconds`` by the clock or so many ``trials``, and ship the best.

    ``method`` is ``auto`` (a portfolio of recipes, then a model of the scores, then an ensemble), ``grid``, ``random``,
    ``bayes``, ``tpe`` or ``hyperband``. ``knobs`` name what may change and ``space``, a YAML file or what is in one,
    which values it may have (``study/space.py``). A trial is scored on ``folds`` inner folds (3, of 10,000 rows two of
    five); the winner is measured again on fresh ones, and with ``nested`` the whole search is, by outer folds.
    ``objectives`` such as ``["roc_auc", "latency"]`` look for the best trade-offs. ``compare`` runs several methods
    side by side, ``repeats`` times. In a world a trial is ``seeds`` agents (3), of ``steps`` each, and the winner is
    measured again with agents of ten other seeds. The test part stays sealed: ``evaluate`` opens it. The same call goes
    on where it was stopped; ``trials`` and their order depend on the seed, not on ``workers``. Raises AurifyError for
    anything the user can mend. ``words`` are:
    """
    began, knobs = time.monotonic(), _several(knobs)
    require_language(language)
    goal = Goal(
        seconds=seconds,
        trials=trials,
        method=method,
        metric=metric,
        objectives=_several(objectives),
        folds=folds,
        nested=nested,
        ensemble=ensemble,
        compare=_several(compare),
        repeats=repeats,
        workers=workers,
    )
    asked = _asked(source, target, words, {"seed": seed, "task.steps": steps, "task.agents": seeds})
    subject, named = subject_asked(asked, None)
    subject.refuse_search(named, folds, nested=nested)
    if storage is not None:
        database(storage)  # an address that is not understood is said before anything else
    written = load_yaml(Path(space), read_plain) if isinstance(space, (str, Path)) else space
    folder = _place(source, asked, out, compared if goal.compare else tuned)
    if folder.bundle.exists() and not _start(folder).exists() and not force:
        raise AurifyError(
            f"{folder.path} holds a run that is no search; choose another --out, or replace it with --force"
        )
    with Watch() as watch, devices.prepared(device) as chosen:
        folder.hold()
        try:
            count = worker_count(1 if asked.in_memory else workers, chosen.type)
            with started(count, folder, chosen, asked.parts, here=asked.in_memory) as processes:
                tell = tell or lines(note)
                recipe = settle(
                    asked.wish(),
                    folder,
                    asked.catalog,
                    tell,
                    watch.check,
                    anew=force,
                    look=inspect,
                    start=_start(folder),
                )
                folder.search.mkdir(exist_ok=True)
                write_bytes(_start(folder), recipe.to_yaml().encode())
                keep_environment(folder, chosen)
                devices.set_threads(1)
                room = Room(folder, subject, subject.verified(folder), asked.catalog, chosen, asked.parts, watch)
                around = space_of(recipe, asked.catalog, knobs, written)
                turned = bool(written) or bool(set(knobs) - {EVERY})
                begins = _begins(goal, asked.wish(), around, len(room.among), named=turned)
                hunt = Hunt(room, around, goal, count, began, progress, note, begins, storage)
                with closing(_answers(room, storage, count, note)) as answers:
                    tuner = hunt.tuner(Trainings(answers, room.workers(processes)))
                    found = hunt.compared(tuner) if goal.compare else hunt.tuned(tuner)
            plain = {"aurify": aurify.__version__, **found, "seconds": round(time.monotonic() - began, 3)}
            write_json(folder.tuning, keep(plain))
            write_bytes(folder.report, page.render(shown(folder, asked.catalog, language)).encode())
            if out is None:
                folder.mark_latest()
            return Tuned(folder.path, read_record(folder.tuning), asked.catalog, device)
        finally:
            folder.release()


def _asked(source: Any, target: Any, words: Mapping[str, Any], own: Mapping[str, Any]) -> Asked:
    """What is asked for; of agents as many in each trial as is usual, where nothing is said."""
    asked = asked_of(*_source(source, target, words), own)
    usual = subject_asked(asked, None)[0].trial_agents
    if usual is None or any(word.partition("=")[0] == "task.agents" for word in asked.settings):
        return asked
    return replace(asked, settings=[*asked.settings, f"task.agents={usual}"])


def _source(source: Any, target: Any, words: Mapping[str, Any]) -> tuple[Any, Any, Mapping[str, Any]]:
    """Data, target and words; of a run its own recipe, which says where the data is."""
    if not is_run(source):
        return source, target, words
    if words.get("recipe") is not None:
        raise AurifyError(f"{source} has its recipe already: drop --recipe, or give the data instead of the run")
    return None, target, {**words, "recipe": RunFolder(Path(source)).recipe}


def _place(source: Any, asked: Asked, out: str | Path | None, named: Callable[[str], Path]) -> RunFolder:
    """Where the same call finds what it has found before."""
    if source is None and asked.recipe is None:
        raise AurifyError("give the data and what to predict: aurify tune data.csv --target COLUMN --time 5m")
    known = source if isinstance(source, (str, Path)) else asked.recipe if source is None else None
    name = str(known) if isinstance(known, (str, Path)) else "frame"
    folder = RunFolder(Path(out) if out is not None else named(name))
    if folder.path.exists() and (not folder.path.is_dir() or folder.foreign()):
        raise AurifyError(f"{folder.path} holds other things than a run; choose an empty or new folder with --out")
    return folder


def _answers(room: Room, storage: str | None, workers: int, note: Callable[[str], None]) -> Answers:
    """Where the results of trainings are kept; others that share them, and whose are not used here, are said."""
    if storage is None:
        return room.lines(room.folder.search)
    # one that waits could be made elsewhere; but nobody shall wait here while the next one is asked for
    shared = Shared(storage, room.version, at_once=workers + (workers > 1))
    if apart := shared.apart():
        note(
            said(
                "others in the storage have trained on the same data with {apart}: nothing is shared with them",
                apart="; ".join(apart),
            )
        )
    return shared


def _begins(goal: Goal, wish: Wish, around: Space, rows: int, *, named: bool) -> Sequence[Recipe]:
    """The recipes that ``auto`` begins with: none changes what the user said; itself where knobs are ``named``."""
    if goal.method != "auto" and "auto" not in goal.compare:
        return ()
    if named:
        return [around.recipe]
    held = Held(settings=wish.settings, using=wish.using, without=wish.without)
    return portfolio(around.recipe, around.catalog, held.beside({axis.name for axis in around.axes}), rows)


def _start(folder: RunFolder) -> Path:
    """The recipe that the search began with; ``recipe.yaml`` becomes that of the best trial."""
    return folder.search / "recipe.yaml"


def _several(words: Sequence[str]) -> Sequence[str]:
    """One word is a list of one, not of its letters."""
    return [words] if isinstance(words, str) else words
