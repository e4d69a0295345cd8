"""What a task learns from, rows of data or a world to act in, as the verbs deal with it: one object of each kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aurify.catalog import Catalog
from aurify.core.folder import RunFolder
from aurify.core.recipe import Recipe
from aurify.data.findings import Findings
from aurify.ship.bundle import Bundle
from aurify.study.cells import Cells, Size
from aurify.study.seeds import Steps
from aurify.study.tune import Tuner
from aurify.workbench.wish import Wish

Check = Callable[[], None]


@dataclass(frozen=True)
class Inner:
    """What trials are scored by: so many ``folds`` of the rows ``among`` all; ``again``, to measure a winner anew."""

    folds: int | None = None
    among: np.ndarray | None = None
    again: bool = False


class Exam:
    """A model before what it did not learn from: sealed until ``answer`` is called, measured after that."""

    @property
    def notes(self) -> Sequence[str]:
        """What was noticed about what it is examined on."""
        return ()

    @property
    def part(self) -> str:
        """Identifies what is looked at: two looks at the same part are two looks, whichever model looks."""
        raise NotImplementedError

    def answer(self, check: Check) -> None:
        """Let the model answer, and the baselines beside it."""
        raise NotImplementedError

    def summarise(self, seed: int, check: Check) -> dict[str, Any]:
        """Scores with intervals, of resamples drawn by ``seed``, the baselines and the verdict, as plain data."""
        raise NotImplementedError

    def write(self, folder: RunFolder) -> None:
        """Keep every single answer in the folder."""
        raise NotImplementedError

    def tested(self, summary: Mapping[str, Any], check: Check) -> Any:
        """What the sections of a report measure from."""
        raise NotImplementedError


class Subject:
    """How a kind of examples is opened, looked at, kept and examined."""

    trial_agents: int | None = None
    """Agents of each trial of a search, where nothing is said; None where no agents act."""

    def open(self, folder: RunFolder) -> Any:
        """What the run in the folder learns from, as its task takes it."""
        raise NotImplementedError

    def verified(self, folder: RunFolder) -> Any:
        """The same, every value of it compared with what was kept. Raises AurifyError where it has changed."""
        opened = self.open(folder)
        opened.verify(folder.store)
        return opened

    def look(self, read: Any, recipe: Recipe, parts: Sequence[Any], notes: Sequence[str], check: Check) -> Findings:
        """What would spoil the result, and the ``notes``; ``parts`` are those of the fit, one or one a fold."""
        raise NotImplementedError

    def look_alone(
        self, read: Any, task: Any, recipe: Recipe | None, check: Check, *, given: bool
    ) -> tuple[Findings, dict[str, Any]]:
        """What would spoil the result of a fit that is not begun, and what a page shows beside it, by section.

        ``recipe`` is None where nothing says what to predict; one that was ``given`` may take care of what is found.
        """
        raise NotImplementedError

    def size(self, name: str, rows: int | None, steps: int | None, seeds: int | None, *, full: bool) -> Size | Steps:
        """How much a study takes of what is called so; raises AurifyError for a word that means nothing here."""
        raise NotImplementedError

    def cells(self, folder: RunFolder, opened: Any, recipe: Recipe, size: Any, *, fresh: bool) -> Cells:
        """Where a ledger trains and scores, ``fresh`` or not; raises AurifyError where there is too little."""
        raise NotImplementedError

    def refuse_search(self, name: str, folds: int | None, *, nested: bool) -> None:
        """Raise AurifyError for a word of a search that means nothing for such examples."""

    def trial_cells(self, folder: RunFolder, opened: Any, recipe: Recipe, stream: str, inner: Inner) -> Cells:
        """Where trials of a search are scored; a ``stream``, a draw. Raises AurifyError where there is too little."""
        raise NotImplementedError

    def tuner(self, judge: str | None, cells: Cells, common: Mapping[str, Any]) -> Tuner:
        """What makes trials and judges them; raises AurifyError for a ``judge`` that there is not."""
        raise NotImplementedError

    def facts(self, folder: RunFolder, opened: Any, recipe: Recipe, check: Check) -> dict[str, Any]:
        """What a ledger says of the examples: ``rows`` that may be used, or what acting at ``random`` returns."""
        raise NotImplementedError

    def keep(self, read: Any, folder: RunFolder) -> None:
        """Write what was read into the folder."""
        raise NotImplementedError

    def exam(self, folder: RunFolder, bundle: Bundle, catalog: Catalog) -> Exam:
        """The bundle before the sealed part of the run it comes from."""
        raise NotImplementedError

    def exam_on(self, data: Any, bundle: Bundle, folder: RunFolder | None) -> Exam:
        """The bundle before new data; ``folder`` is that of its run, where there is one."""
        raise NotImplementedError

    def tried(self, folder: RunFolder, bundle: Bundle) -> tuple[dict[str, Any], float | None]:
        """Typed inputs {name: (N, C)} that were not learnt from, to try an exported model on.

        Beside them the spread of what is answered to such, None where the answers tell it.
        """
        raise NotImplementedError

    def refuse(self, wish: Wish) -> None:
        """Raise AurifyError for a word that was given and means nothing for such examples."""
        raise NotImplementedError
