"""The verb fit: from a source to a finished run folder, in steps that a kill at any moment leaves whole."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Unpack

from aurify.core.errors import AurifyError
from aurify.core.files import read_record, write_json
from aurify.core.folder import RunFolder, claim, latest, named
from aurify.core.watch import Watch
from aurify.data.findings import Findings
from aurify.track.follow import Tracking
from aurify.training import device as devices
from aurify.training.fit import Show
from aurify.workbench.asked import RecipeWords, asked_of, takes
from aurify.workbench.measuring import measure_fit
from aurify.workbench.reporting import require_language
from aurify.workbench.runs import FittedRun
from aurify.workbench.settling import lines, settle
from aurify.workbench.training import Training
from aurify.workbench.wish import Wish

Note = Callable[[str], None]


@takes(RecipeWords)
def fit(
    data: Any = None,
    target: Any = None,
    *,
    folds: int | None = None,
    out: str | Path | None = None,
    force: bool = False,
    resume: bool = False,
    seed: int | None = None,
    seconds: float | None = None,
    find_rate: bool = False,
    method: str | None = None,
    steps: int | None = None,
    seeds: int | None = None,
    language: str = "en",
    device: str = "auto",
    threads: int | None = None,
    checkpoint_seconds: float | None = None,
    track: Sequence[str] = (),
    inspect: bool = True,
    show: Show = lambda run: None,
    note: Note = lambda text: None,
    tell: Callable[[Findings], None] | None = None,
    **words: Unpack[RecipeWords],
) -> FittedRun:
    """Read, split, prepare, train, measure: from a file, folder or data frame to a finished run folder.

    ``target`` is a column's name, a list of columns that each say whether a row holds a label or, beside a table in
    memory, the targets themselves: a Series, an array or a list.
    With ``folds`` each row is tested by a model that did not see it, and the shipped model averages those of the
    folds; with ``find_rate`` a good learning rate is measured first; ``language`` is that of the report, ``en`` or
    ``zh``; ``track`` names trackers that follow the run: ``["mlflow", "tensorboard:DIR"]``. Where ``data`` names a
    Gymnasium environment, as ``CartPole-v1`` and ``my_module:MyEnv`` do, ``seeds`` agents learn to act in it by a
    ``method`` such as ``ppo``, ``steps`` steps each. The data is inspected first: a severe finding stops the run with
    SevereError unless ``accept`` names it, and with ``inspect=False`` nothing is looked for; findings go to ``tell`` at
    once, or a line each to ``note``. Raises AurifyError for anything the user can mend and Interrupted after SIGINT or
    SIGTERM, with everything saved for ``resume``. ``words`` are:
    """
    began = time.monotonic()
    require_language(language)
    if force and resume:
        raise AurifyError("--force begins anew and --resume goes on: choose one")
    own = {"seed": seed, "budget.seconds": seconds, "budget.find_rate": find_rate or None, "split.folds": folds}
    own |= {"task.method": method, "task.steps": steps, "task.agents": seeds}
    asked = asked_of(data, target, words, own)
    for text in asked.notes:
        note(text)
    wish, catalog = asked.wish(), asked.catalog
    place = _place(wish, out, force=force, resume=resume)
    with Watch() as watch, devices.prepared(device) as chosen, Tracking(track, note) as tracking:
        folder = claim(wish.name) if place is None else _held(place, force=force, resume=resume)
        try:
            final = settle(wish, folder, catalog, tell or lines(note), watch.check, anew=force, look=inspect)
            if folder.finished():
                tracking.follow(folder)
                note(f"{folder.path} is finished already: nothing to resume")
                fitted = FittedRun(folder.path, catalog, device)
                if not folder.report.exists():  # killed between the scores and their report
                    fitted.report(language)
                return fitted
            if out is None:
                folder.mark_latest()
            watch.limit_seconds = final.budget.seconds
            _fix_environment(folder, chosen, threads, devices.worth(final.network), note)
            tracking.follow(folder)
            watch.check()
            if not folder.bundle.exists():
                training = Training(
                    recipe=final,
                    catalog=catalog,
                    device=chosen,
                    watch=watch,
                    checkpoint_seconds=checkpoint_seconds,
                    show=show,
                    note=note,
                )
                training.train(folder)
            acts = final.task.examples == "episodes"
            who, where = ("agents", "in the test episodes") if acts else ("network", "on the test part")
            note(f"measuring the {who} and the baselines {where}")
            measure_fit(folder, catalog, chosen, watch, began, language)
            return FittedRun(folder.path, catalog, device)
        finally:
            folder.release()


def _place(wish: Wish, out: str | Path | None, *, force: bool, resume: bool) -> RunFolder | None:
    """The folder that was named or, with ``resume``, the one to go on in; None where a new one is to be claimed."""
    if out is not None:
        folder = RunFolder(Path(out))
        if folder.path.exists() and not folder.path.is_dir():
            raise AurifyError(f"--out {out} is a file; give a folder")
        if folder.path.exists() and folder.foreign():
            raise AurifyError(f"{out} holds files that are no run's; choose an empty or new folder")
        _require_free(folder, force=force, resume=resume)
        return folder
    if resume:
        past = named(wish.name) if wish.data is not None else latest()
        if past:
            return RunFolder(past[-1])
    if wish.data is None:
        raise AurifyError("give the data to fit: a CSV path, or a recipe with source.path")
    return None


def _held(folder: RunFolder, *, force: bool, resume: bool) -> RunFolder:
    """The folder, kept from other processes; whoever had it until now may have left a run in it."""
    folder.hold()
    try:
        _require_free(folder, force=force, resume=resume)
    except AurifyError:
        folder.release()
        raise
    return folder


def _require_free(folder: RunFolder, *, force: bool, resume: bool) -> None:
    if folder.tuned() and not force:
        raise AurifyError(
            f"{folder.path} holds a tuned run: measure it with aurify evaluate {folder.path}, replace it with --force"
        )
    if folder.exists() and not force and not resume:
        raise AurifyError(f"{folder.path} holds a run already; go on with --resume, replace it with --force")


def _fix_environment(folder: RunFolder, device: Any, threads: int | None, worth: int, note: Note) -> None:
    """Compute with the number of threads the run began with; say what else has changed since."""
    before: dict[str, Any] = read_record(folder.environment) if folder.environment.exists() else {}
    if before and threads not in (None, before.get("threads")):
        raise AurifyError(
            f"{folder.path} began with {before.get('threads')} threads, another number gives other bits: drop --threads"
        )
    devices.set_threads(before.get("threads", threads), worth)
    now = devices.environment(device)
    for key in before:
        if now.get(key) != before[key]:
            note(f"{key} was {before[key]} when the run began, now {now.get(key)}: the last bits may differ")
    if not before:
        write_json(folder.environment, now)
