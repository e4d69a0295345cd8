"""What a finished run shows: its evidence, measured once beside the scores, and the report made of its plain files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aurify.catalog import Catalog
from aurify.core.errors import AurifyError, suggest
from aurify.core.files import write_bytes, write_json
from aurify.core.folder import RunFolder
from aurify.core.watch import Watch
from aurify.core.words import LANGUAGES
from aurify.data.image_names import read_names
from aurify.data.splits import Parts
from aurify.data.store import Asked, Store
from aurify.measure.clusters import clusters_of
from aurify.measure.predictions import Predictions
from aurify.report import page
from aurify.report.section import Tested, sections
from aurify.ship.bundle import Bundle
from aurify.training import device as devices
from aurify.workbench.looks import looks_of
from aurify.workbench.record import read_evidence, shown
from aurify.workbench.tested import places, sealed_answers, sealed_rows
from aurify.workbench.tokens import tokens_told

if TYPE_CHECKING:
    from aurify.workbench.runs import FittedRun


def gather(
    folder: RunFolder,
    store: Store,
    bundle: Bundle,
    catalog: Catalog,
    sets: Mapping[str, Predictions],
    asked: Asked,
    summary: Mapping[str, Any],
    watch: Watch,
) -> None:
    """Let every section measure what it shows, and keep it in ``evidence.json``; those that have it already do not.

    Where the time is up, the rest is left for ``aurify report`` to measure.
    """
    evidence, models = read_evidence(folder), _Models(folder, bundle, catalog)
    tested = Tested(
        recipe=bundle.recipe,
        store=store,
        parts=Parts.open(folder.parts),
        asked=asked,
        sets=sets,
        clusters=clusters_of(asked.roles, asked.rows).codes,
        summary=summary,
        respond=models.respond,
        check=watch.check,
        tokens=lambda: tokens_told(bundle, asked) if "texts" in asked.inputs else None,
        looks=models.looks,
        names=read_names(folder.images),
    )
    for section in sections():
        if section.name() not in evidence and watch.remaining > 0:
            evidence[section.name()] = section.measure(tested)
            watch.check()
    write_json(folder.evidence, evidence)


def write_report(fitted: FittedRun, language: str, out: str | Path | None) -> Path:
    """Write the report of a finished run, ``report.html`` in its folder or ``out``, and return where it is.

    What was left out when the run was measured is measured now, with the same model on the same rows: that is no
    further opening of the test part. Of a tuned run that is not measured yet the page has what is known without
    opening it. Raises AurifyError for a language there is not.
    """
    require_language(language)
    folder = fitted.folder
    path = folder.report if out is None else Path(out)
    if path.is_dir():
        raise AurifyError(f"--out {path} is a folder; give a file, such as report.html")
    known = read_evidence(folder)
    summary = None if folder.tuned() and not folder.finished() else fitted.summary
    if summary is not None and any(section.name() not in known for section in sections()):
        with Watch() as watch, devices.prepared(fitted.device):
            store = Store.open(folder.store)
            asked = sealed_rows(folder, store, fitted.recipe.split.folds)
            sets = sealed_answers(folder, store, fitted.bundle, fitted.catalog, watch.check)
            gather(folder, store, fitted.bundle, fitted.catalog, sets, asked, summary, watch)
    write_bytes(path, page.render(shown(folder, fitted.catalog, language)).encode())
    return path


def require_language(language: str) -> None:
    """Raise AurifyError for a language that no report is written in."""
    if language not in LANGUAGES:
        raise AurifyError(f"no report in {language!r}{suggest(language, LANGUAGES)}")


class _Models:
    """The models that are tested: the shipped one, or of each row that of its fold, which did not see it."""

    def __init__(self, folder: RunFolder, bundle: Bundle, catalog: Catalog):
        folds = bundle.recipe.split.folds
        rooms = places(folder, folds)
        self.every = [bundle if folds is None else Bundle.load(room.bundle, catalog, bundle.device) for room in rooms]
        self.owner = np.repeat(np.arange(len(rooms)), [len(Parts.open(room.parts).test) for room in rooms])

    def respond(self, inputs: Mapping[str, Any], at: np.ndarray) -> np.ndarray:
        """How they answer for other inputs."""
        answers: np.ndarray | None = None
        for model, mine in self._shared(at):
            found = model.predictions(Asked(inputs, np.empty(0), mine), known=False)
            given = found.prediction if found.probabilities is None else found.probabilities
            answers = np.empty((len(at), *given.shape[1:])) if answers is None else answers
            answers[mine] = given
        assert answers is not None, "no row to answer for"
        return answers

    def looks(
        self, inputs: Mapping[str, Any], at: np.ndarray, of: np.ndarray | None
    ) -> list[tuple[np.ndarray, np.ndarray]] | None:
        """Where in images they see what speaks for the classes ``of`` (M,)."""
        told: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for model, mine in self._shared(at):
            found = looks_of(model, {k: v[mine] for k, v in inputs.items()}, None if of is None else of[mine])
            if found is None:
                return None
            told |= dict(zip(mine.tolist(), found, strict=True))
        return [told[row] for row in range(len(at))]

    def _shared(self, at: np.ndarray) -> Iterator[tuple[Bundle, np.ndarray]]:
        """Each model, and which of the rows (M,) at these positions are its own."""
        for number, model in enumerate(self.every):
            mine = np.flatnonzero(self.owner[at] == number)
            if len(mine):
                yield model, mine
