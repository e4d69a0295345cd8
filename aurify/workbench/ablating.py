"""The verb ablate: what each ingredient of a recipe was worth on this data, with intervals."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import aurify
from aurify.catalog import Catalog
from aurify.core.errors import AurifyError, suggest
from aurify.core.files import read_record, write_bytes, write_json
from aurify.core.folder import RunFolder
from aurify.core.recipe import Recipe
from aurify.core.watch import Watch
from aurify.core.words import keep, said
from aurify.data.findings import Findings
from aurify.measure.judges import JUDGES
from aurify.report import page
from aurify.report.ledger_frame import effects_frame, pairs_frame
from aurify.report.notebook import Plots
from aurify.study.ablate import Ablation, Progress
from aurify.study.ablate import ablate as compare
from aurify.study.contrasts import DESIGNS, Contrasts
from aurify.study.simplify import simplify as simpler
from aurify.study.trainings import Trainings
from aurify.study.workers import worker_count
from aurify.training import device as devices
from aurify.workbench.asked import RecipeWords, asked_of, takes
from aurify.workbench.record import shown
from aurify.workbench.reporting import require_language
from aurify.workbench.settling import lines, settle
from aurify.workbench.studying import Room, forget, is_run, place_of, refuse_words, started, subject_asked

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Ledger:
    """What each ingredient was worth: ``effects`` and ``pairs`` as frames, ``plain`` all there is, as in the file."""

    path: Path
    plain: Mapping[str, Any]
    catalog: Catalog

    @property
    def plot(self) -> Plots:
        """The charts of its page as figures; ``dir(ledger.plot)`` names them."""
        return Plots(lambda: shown(RunFolder(self.path), self.catalog, "en"))

    @property
    def effects(self) -> pl.DataFrame:
        """One row an ingredient: gain, intervals, Holm's p, verdict and what it costs."""
        return effects_frame(self.plain)

    @property
    def pairs(self) -> pl.DataFrame:
        """One row a training: its scores, seconds, size."""
        return pairs_frame(self.plain)

    @property
    def report(self) -> Path:
        return RunFolder(self.path).report

    def __repr__(self) -> str:
        found = [row["verdict"] for row in self.plain["effects"]]
        told = f"{found.count('helps')} help, {found.count('hurts')} hurt"
        return f"<aurify ledger {self.path}: of {len(found)} rows {told}>"

    def _repr_html_(self) -> str:
        return self.effects._repr_html_()


@takes(RecipeWords)
def ablate(
    run: Any = None,
    target: Any = None,
    *,
    designs: Sequence[str] | None = None,
    families: Sequence[str] = (),
    interactions: Sequence[str] = (),
    sweep: Sequence[str] = (),
    metric: str | None = None,
    worth: float | None = None,
    method: str | None = None,
    rows: int | None = None,
    steps: int | None = None,
    seeds: int | None = None,
    full: bool = False,
    simplify: bool = False,
    workers: int | None = None,
    inspect: bool = True,
    out: str | Path | None = None,
    force: bool = False,
    seed: int | None = None,
    language: str = "en",
    device: str = "auto",
    progress: Progress = lambda done, total, rows, what: None,
    note: Callable[[str], None] = lambda text: None,
    tell: Callable[[Findings], None] | None = None,
    **words: Unpack[RecipeWords],
) -> Ledger:
    """Say what each ingredient of a run's recipe, or of a recipe and a source, is worth on its data.

    ``designs`` are ``leave_one_out`` (the default), ``add_one`` and ``cumulative``; ``families``, ``interactions`` and
    ``sweep`` (``["dropout.rate=0,0.1,0.3"]``) add rows of their own. Only rows that a fit would learn from are used:
    the test part stays sealed. By default samples of 3,000 rows and 30,000 examples a training are taken; ``rows`` and
    ``steps`` choose others and ``full`` lifts every limit. In a world pairs are agents of one seed, ten and where that
    tells more up to twenty, or as many as ``seeds``; each does at most 50,000 ``steps``, and those of one recipe learn
    side by side, by a ``method`` where the source is a world. ``metric`` judges, and a difference below ``worth`` in it
    is not worth more pairs. With ``simplify`` the smallest recipe not measurably worse is written beside the ledger.
    ``workers`` trainings go side by side; what was trained is kept, and the same call goes on where it was stopped.
    Raises AurifyError for anything the user can mend. With a run, of the ``words`` only ``parts`` and ``network`` go:
    """
    began = time.monotonic()
    require_language(language)
    designed = _designs(designs, families, interactions, sweep, simplify=simplify)
    _require_metric(metric, worth)
    _require_amounts(rows, steps, workers, full=full)
    asked = asked_of(run, target, words, {"task.method": method})
    catalog, folder = asked.catalog, place_of(run, asked.recipe, out)
    subject, name = subject_asked(asked, run)
    size = subject.size(name, rows, steps, seeds, full=full)
    with Watch() as watch, devices.prepared(device) as chosen:
        folder.hold()
        try:
            if is_run(run):
                refuse_words(asked.given, asked.recipe, run)
                final = catalog.read_recipe(folder.recipe)
            else:
                final = settle(
                    asked.wish(), folder, catalog, tell or lines(note), watch.check, anew=force, look=inspect
                )
            contrasts = _contrasts(final if seed is None else replace(final, seed=seed), catalog, designed)
            if force:  # not before the words are known to mean something
                forget(folder)
            count = worker_count(1 if asked.in_memory else workers, chosen.type)
            room = Room(folder, subject, subject.verified(folder), catalog, chosen, asked.parts, watch)
            facts = room.facts(contrasts.recipe)
            with started(count, folder, chosen, asked.parts, here=asked.in_memory) as processes:
                study = Ablation(
                    contrasts=contrasts,
                    cells=room.cells(contrasts.recipe, size),
                    size=size,
                    trainings=Trainings(room.lines(folder.ablation), room.workers(processes), room.paces),
                    check=watch.check,
                    progress=progress,
                    metric=metric,
                    worth=worth,
                    floor=facts.get("random", 0.0),
                )
                _say_finished(study, note)
                found = {"aurify": aurify.__version__, **facts, **compare(study)}
                folder.simplified.unlink(missing_ok=True)
                if simplify:
                    kept, told = simpler(study, found, room.cells(contrasts.recipe, size, fresh=True))
                    found["simplified"] = {**told, "file": folder.simplified.name}
                    write_bytes(folder.simplified, kept.to_yaml().encode())
            write_json(folder.ledger, keep({**found, "seconds": round(time.monotonic() - began, 3)}))
            write_bytes(folder.report, page.render(shown(folder, catalog, language)).encode())
            return Ledger(folder.path, read_record(folder.ledger), catalog)
        finally:
            folder.release()


def _contrasts(recipe: Recipe, catalog: Catalog, asked: Sequence[Callable[[Contrasts], None]]) -> Contrasts:
    """All comparisons that were asked for; raises AurifyError for a word that means nothing."""
    contrasts = Contrasts(recipe, catalog)
    for step in asked:
        step(contrasts)
    return contrasts


def _say_finished(study: Ablation, note: Callable[[str], None]) -> None:
    if finished := study.finished():
        note(said("{count:,} trainings were finished before and are not made again", count=finished))


def _require_metric(metric: str | None, worth: float | None) -> None:
    """Raises AurifyError for a judge that is none; whether this one judges such data is known after a training."""
    if metric is not None and metric not in JUDGES:
        raise AurifyError(f"--metric {metric}: there is no such metric{suggest(metric, JUDGES)}")
    if worth is not None and not 0 < worth < float("inf"):
        raise AurifyError(f"--worth {worth} is not allowed: a number above 0")


def _require_amounts(rows: int | None, steps: int | None, workers: int | None, *, full: bool) -> None:
    """Raises AurifyError for numbers that mean nothing."""
    for name, value, least in (("rows", rows, 50), ("steps", steps, 1), ("workers", workers, 1)):
        if value is not None and value < least:
            raise AurifyError(f"--{name} {value} is not allowed: at least {least}")
    if full and (rows is not None or steps is not None):
        raise AurifyError("--full takes all rows and steps, --rows and --steps some: choose one")


def _designs(
    designs: Sequence[str] | None,
    families: Sequence[str],
    interactions: Sequence[str],
    sweep: Sequence[str],
    *,
    simplify: bool,
) -> list[Callable[[Contrasts], None]]:
    """What to do to the contrasts; leave one out where nothing else is asked for, and where a recipe is simplified."""
    families, interactions, sweep = _several(families), _several(interactions), _several(sweep)
    named = [name.replace("-", "_") for name in _several(designs or ())]
    for name in named:
        if name not in DESIGNS:
            raise AurifyError(f"--designs {name}: there is no such design{suggest(name, DESIGNS)}")
    if simplify or not (named or families or interactions or sweep):
        named = [*named, "leave_one_out"]
    asked: list[Callable[[Contrasts], None]] = [getattr(Contrasts, name) for name in DESIGNS if name in named]
    if families:
        asked.append(lambda contrasts: contrasts.families(families))
    if interactions:
        asked.append(lambda contrasts: contrasts.interactions(interactions))
    return [*asked, *(lambda contrasts, word=word: contrasts.sweep(word) for word in sweep)]


def _several(words: Sequence[str]) -> Sequence[str]:
    """One word is a list of one, not of its letters."""
    return [words] if isinstance(words, str) else words
