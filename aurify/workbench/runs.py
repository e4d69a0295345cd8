"""What a finished run offers: its recipe, its scores beside the baselines, its model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aurify import catalog as catalogs
from aurify.catalog import Catalog
from aurify.core.errors import AurifyError
from aurify.core.files import read_record
from aurify.core.folder import RunFolder
from aurify.core.recipe import Recipe
from aurify.data.findings import Findings
from aurify.report.ledger_frame import effects_frame
from aurify.report.notebook import Plots, scores_of
from aurify.report.section import Record
from aurify.report.tuning_frame import trials_frame
from aurify.ship.answer import Answer
from aurify.ship.bundle import Bundle
from aurify.training import device as devices
from aurify.workbench.explaining import Explained, explain
from aurify.workbench.explaining_images import ExplainedImages
from aurify.workbench.passed import Passed, catalog_with
from aurify.workbench.record import read_findings, read_ledger, read_trials, record, shown
from aurify.workbench.reporting import write_report

if TYPE_CHECKING:
    import polars as pl


class FittedRun:
    """A finished run in its folder. Raises AurifyError where there is none."""

    def __init__(self, path: Path, catalog: Catalog | None = None, device: str = "auto"):
        self.path = path
        self.folder = RunFolder(path)
        self.catalog = catalog or catalogs.load()
        self.device = device
        if not self.folder.bundle.exists():
            unfinished = "an unfinished run: go on with --resume" if self.folder.exists() else "not a run folder"
            unfinished = "a search that has left no model" if self.folder.tuned() else unfinished
            raise AurifyError(f"{path} is {unfinished}")

    @cached_property
    def bundle(self) -> Bundle:
        return Bundle.load(self.folder.bundle, self.catalog, devices.choose(self.device))

    @cached_property
    def recipe(self) -> Recipe:
        return self.catalog.read_recipe(self.folder.recipe)

    @property
    def summary(self) -> dict[str, Any]:
        """All that ``fit`` printed, as plain data: scores, baselines, differences, verdict, openings, seconds."""
        if not self.folder.scores.exists():
            how = f"aurify evaluate {self.path}" if self.folder.tuned() else "go on with --resume"
            raise AurifyError(f"{self.path} is not measured yet: {how}")
        return read_record(self.folder.scores)

    @property
    def scores(self) -> pl.DataFrame:
        """Every metric with its 95 % interval, of the model, what it is blended of and the baselines beside it."""
        import polars as pl

        summary = self.summary
        models = {summary["model"]: summary["scores"], **summary["members"], **summary["baseline_scores"]}
        rows = [{"model": m, "metric": k, **v} for m, metrics in models.items() for k, v in metrics.items()]
        return pl.DataFrame(rows)

    @property
    def curves(self) -> pl.DataFrame:
        """One row a validation: step, epoch, the scores of held-out and of learnt rows, learning rate, seconds.

        Of a run with folds those of each one, with its number in ``fold``.
        """
        import polars as pl

        return pl.DataFrame([{k: v for k, v in line.items() if k != "order"} for line in self.folder.read_progress()])

    @property
    def ledger(self) -> pl.DataFrame:
        """One row an ingredient, as ``aurify ablate`` found it: gain, intervals, verdict, cost."""
        found = read_ledger(self.folder)
        if found is None:
            raise AurifyError(f"{self.path} has no ledger yet: make one with aurify ablate {self.path}")
        return effects_frame(found)

    @property
    def trials(self) -> pl.DataFrame:
        """One row a trial, as ``aurify tune`` made it: number, state, score, each setting, seconds."""
        if not self.folder.trials.exists():
            raise AurifyError(f"{self.path} has no trials yet: make some with aurify tune {self.path}")
        return trials_frame(read_trials(self.folder))

    @property
    def findings(self) -> Findings:
        """What was found in the data before training, the worst first; ``.to_frame()`` makes a table of it."""
        return read_findings(self.folder)

    @property
    def plot(self) -> Plots:
        """The charts of the report as figures: ``run.plot.learning()``; ``dir(run.plot)`` names them."""
        return Plots(lambda: shown(self.folder, self.catalog))

    def report(self, language: str = "en", out: str | Path | None = None) -> Path:
        """Write the report, ``report.html`` in the run's folder or ``out``, in ``en`` or ``zh``; says where it is."""
        return write_report(self, language, out)

    def _record(self) -> Record:
        return record(self.folder, self.catalog)

    def predict(self, data: Any, top: int | None = None) -> pl.DataFrame:
        """Predict a path, a data frame or, of a model of one column of texts, a text or a list of texts.

        Of a model of images also a list of their paths, or arrays and Pillow images. ``prediction`` and ``p_<class>``,
        one row per example, in order, empty where an image cannot be read; with ``top`` the probabilities of as many
        classes, the most probable ones: ``top_1``, ``p_1`` and so on.
        """
        return self.bundle.predict(data, top)

    def explain(self, data: Any) -> Explained | ExplainedImages:
        """Which words, or places of images, the answers hang on: leave each one out and ask again (occlusion).

        ``data`` is as for ``predict``. Raises AurifyError for a model that reads neither texts nor images.
        """
        return explain(self.bundle, data)

    def __repr__(self) -> str:
        return f"<aurify run {self.path}: {self.summary['verdict'] if self.folder.finished() else 'not measured'}>"

    def _repr_html_(self) -> str:
        """What a notebook shows: the verdict and every score."""
        return scores_of(self._record()) if self.folder.finished() else f"<code>{escape(repr(self))}</code>"


def load(
    path: str | Path, *, parts: Sequence[str | Path] = (), network: Passed = None, device: str = "auto"
) -> FittedRun | Bundle:
    """Load a run folder (scores, recipe, model) or a model file; both have ``predict``.

    A ``network`` that was passed to ``fit`` as a module or function is passed again: it is in no file.
    """
    path, (catalog, _) = Path(path), catalog_with(parts, network)
    return FittedRun(path, catalog, device) if path.is_dir() else Bundle.load(path, catalog, devices.choose(device))


def predict(
    run: str | Path, data: Any, *, parts: Sequence[str | Path] = (), network: Passed = None, device: str = "auto"
) -> Answer:
    """Predict every row of a path or data frame, a text or a list of texts, with a run or a model file."""
    loaded = load(run, parts=parts, network=network, device=device)
    return (loaded.bundle if isinstance(loaded, FittedRun) else loaded).answer(data)


def report(
    run: str | Path,
    *,
    language: str = "en",
    out: str | Path | None = None,
    parts: Sequence[str | Path] = (),
    network: Passed = None,
    device: str = "auto",
) -> Path:
    """Write the report of a finished run, ``report.html`` in its folder or ``out``, and return where it is."""
    loaded = load(run, parts=parts, network=network, device=device)
    if not isinstance(loaded, FittedRun):
        raise AurifyError(f"{run} is a model alone; a report is made of a run folder")
    return loaded.report(language, out)
