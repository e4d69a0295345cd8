"""What studies of a run share: where they lie, the rows they may use, and who trains side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from aurify.catalog import Catalog
from aurify.core.errors import AurifyError
from aurify.core.folder import RunFolder, ablated
from aurify.core.parts import Task
from aurify.core.recipe import Recipe
from aurify.core.watch import Watch
from aurify.study.answers import Lines
from aurify.study.cells import Cells, Size
from aurify.study.pace import Paces
from aurify.study.seeds import Steps
from aurify.study.worker import Trainer
from aurify.study.workers import Here, Processes, Workers
from aurify.training import device as devices
from aurify.workbench.asked import Asked
from aurify.workbench.rows import rows_among
from aurify.workbench.subject import Subject
from aurify.workbench.subjects import subject_of


@dataclass(frozen=True)
class Room:
    """What a study of a run works with: its examples without the tested ones, processes, what was trained before.

    ``store`` is what the run learns from, as its ``subject`` opens it.
    """

    folder: RunFolder
    subject: Subject
    store: Any
    catalog: Catalog
    device: Any
    parts: Sequence[str | Path]
    watch: Watch

    @cached_property
    def among(self) -> np.ndarray:
        """Row ids that a study may use."""
        return rows_among(self.folder)

    def cells(self, recipe: Recipe, size: Size | Steps, *, fresh: bool = False) -> Cells:
        return self.subject.cells(self.folder, self.store, recipe, size, fresh=fresh)

    def facts(self, recipe: Recipe) -> dict[str, Any]:
        """What a ledger says of its examples."""
        return self.subject.facts(self.folder, self.store, recipe, self.watch.check)

    @property
    def paces(self) -> Paces:
        """How fast trainings are as one program, as far as a ledger has measured it."""
        return Paces(self.folder.ablation / "paces.json")

    @property
    def version(self) -> dict[str, Any]:
        """What trainings depend on beside recipe and rows."""
        return {**devices.environment(self.device), "threads": 1, "data": self.store.fingerprint}

    def lines(self, place: Path) -> Lines:
        """The trainings kept in a folder, as far as they were made of the same data in the same way."""
        return Lines(place / "trainings.jsonl", self.version)

    def workers(self, processes: Processes | None) -> Workers:
        """Who trains: the processes, or without any this one, one training after another."""
        if processes is not None:
            return processes
        devices.set_threads(1)
        return Here(Trainer(self.store, self.catalog, self.device, self.watch))


@contextmanager
def started(
    count: int, folder: RunFolder, device: Any, parts: Sequence[str | Path], *, here: bool
) -> Iterator[Processes | None]:
    """``count`` processes for the data of a folder, which import while it is read; none where one would be enough.

    One on an accelerator is not: an error there leaves a process useless, and only another one can be begun anew.
    With ``here`` there is none, for what is to be trained is in this process's memory only.
    """
    if here or (count == 1 and device.type == "cpu"):
        yield None
        return
    with closing(Processes(count, folder.store, str(device), parts)) as processes:
        processes.start()
        yield processes


def is_run(run: Any) -> bool:
    return isinstance(run, (str, Path)) and Path(run).is_dir() and RunFolder(Path(run)).recipe.exists()


def place_of(run: Any, recipe: Any, out: str | Path | None) -> RunFolder:
    """The run's own folder, or for a source one that the same call finds again."""
    if is_run(run):
        folder = RunFolder(Path(run))
        if out is not None:
            raise AurifyError(f"the ledger of a run lies in its own folder, {run}: drop --out")
        if not folder.begun():
            raise AurifyError(f"{run} is not a run with its data: it lacks store or parts.aurify; fit again")
        return folder
    if run is None and recipe is None:
        raise AurifyError("give a run folder, or the data and what to predict: aurify ablate RUN")
    source = run if isinstance(run, (str, Path)) else recipe if run is None else None
    folder = RunFolder(Path(out) if out is not None else ablated(str(source) if source is not None else "frame"))
    if folder.path.exists() and (not folder.path.is_dir() or folder.foreign()):
        raise AurifyError(f"{folder.path} holds other things than a run; choose an empty or new folder with --out")
    return folder


def forget(folder: RunFolder) -> None:
    """Remove what earlier studies left."""
    import shutil

    shutil.rmtree(folder.ablation, ignore_errors=True)
    for path in (folder.ledger, folder.simplified):
        path.unlink(missing_ok=True)


def refuse_words(words: Sequence[str], recipe: Any, run: Any) -> None:
    if words or recipe is not None:
        raise AurifyError(
            f"{run} has its data and recipe already; {words[0] if words else 'recipe'} is for a source:"
            " give the data instead of the run, or drop it"
        )


def subject_asked(asked: Asked, run: Any) -> tuple[Subject, str]:
    """What a run, or what was asked for, learns from, and what it is called. Raises AurifyError for strange words."""
    if is_run(run):
        recipe = asked.catalog.read_recipe(RunFolder(Path(run)).recipe)
        return subject_of(recipe.task), recipe.source.path or str(run)
    wish = asked.wish()
    task: Any = asked.catalog.parts["task"].get(wish.task["name"], Task)  # an unknown one is refused where it is made
    return subject_of(task), str(wish.data)
