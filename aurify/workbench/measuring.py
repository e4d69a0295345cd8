"""Score a model and the baselines beside it, on the sealed test part or on new labelled data."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aurify.catalog import Catalog
from aurify.core.errors import AurifyError, Interrupted
from aurify.core.files import read_record, write_bytes, write_json
from aurify.core.folder import RunFolder
from aurify.core.watch import Watch
from aurify.core.words import keep
from aurify.report import page
from aurify.ship.bundle import Bundle
from aurify.training import device as devices
from aurify.workbench.passed import Passed, catalog_with
from aurify.workbench.record import record
from aurify.workbench.reporting import gather, require_language
from aurify.workbench.runs import FittedRun
from aurify.workbench.subjects import subject_of


def evaluate(
    run: str | Path,
    data: Any = None,
    *,
    parts: Sequence[str | Path] = (),
    network: Passed = None,
    out: str | Path | None = None,
    force: bool = False,
    seed: int | None = None,
    language: str = "en",
    device: str = "auto",
) -> dict[str, Any]:
    """Score a run on new labelled data, or once more on its sealed test part (the opening is counted).

    The first time without data a tuned run is measured as ``fit`` measures its own, and its report is written, in
    ``language``. ``seed`` draws other resamples than the run's own. Returns plain data as in ``scores.json``. Raises
    AurifyError for data that lacks columns or labels.
    """
    began = time.monotonic()
    require_language(language)
    path, (catalog, _) = Path(run), catalog_with(parts, network)
    folder = RunFolder(path) if path.is_dir() else None
    if data is None and folder is not None and _unmeasured(folder, again=out is not None or seed is not None):
        return _measure_tuned(FittedRun(path, catalog, device), language, began)
    bundle = FittedRun(path, catalog, device).bundle if folder else Bundle.load(path, catalog, devices.choose(device))
    if data is None and folder is None:
        raise AurifyError(f"{path} is a model without its data; give labelled rows to evaluate it on")
    if out is not None and (Path(out) / "scores.json").exists() and not force:
        raise AurifyError(f"{out} holds scores already; replace them with --force or choose another --out")
    openings, subject = None, subject_of(bundle.recipe.task)
    with Watch() as watch:
        if folder is not None:
            subject.verified(folder)
        if data is None and folder is not None:
            exam = subject.exam(folder, bundle, catalog)
            openings = folder.record_opening("evaluate", f"evaluate {time.time_ns()}", exam.part)
        else:
            exam = subject.exam_on(data, bundle, folder)
        exam.answer(watch.check)
        summary = exam.summarise(bundle.recipe.seed if seed is None else seed, watch.check)
    result = {"run": str(path), **summary, "notes": list(exam.notes), "test_openings": openings}
    result["seconds"] = round(time.monotonic() - began, 3)
    if out is not None:
        target = RunFolder(_made(Path(out)))
        exam.write(target)
        write_json(target.scores, result)
    return result


def _unmeasured(folder: RunFolder, *, again: bool) -> bool:
    """Whether a tuned run is still to be measured, or its report to be written where a kill prevented that."""
    if not folder.tuned() or (folder.finished() and (again or folder.report.exists())):
        return False
    if again:
        raise AurifyError(
            f"{folder.path} is not measured yet: --out and --seed are for another look, after"
            f" aurify evaluate {folder.path}"
        )
    return True


def _measure_tuned(fitted: FittedRun, language: str, began: float) -> dict[str, Any]:
    """Measure what a search has left as the end of a fit does; begun once, it is the same look until it is done."""
    folder = fitted.folder
    try:
        with Watch() as watch, devices.prepared(fitted.device) as chosen, folder.held():
            if folder.finished():
                fitted.report(language)
            else:
                subject_of(fitted.recipe.task).verified(folder)
                measure_fit(folder, fitted.catalog, chosen, watch, began, language, verb="evaluate")
    except Interrupted as stopped:
        raise Interrupted(f"stopped; go on with aurify evaluate {folder.path}", stopped.signal_number) from None
    return {**fitted.summary, "notes": [], "report": str(folder.report)}


def measure_fit(
    folder: RunFolder,
    catalog: Catalog,
    device: Any,
    watch: Watch,
    began: float,
    language: str,
    verb: str = "fit",
) -> None:
    """Open the sealed test part, score the model that will be shipped (or those of the folds) beside the baselines."""
    bundle = Bundle.load(folder.bundle, catalog, device)
    exam = subject_of(bundle.recipe.task).exam(folder, bundle, catalog)
    openings = folder.record_opening(verb, f"{verb} {folder.shipped}", exam.part)  # the same model twice is one look
    exam.answer(watch.check)
    summary = exam.summarise(bundle.recipe.seed, watch.check)
    exam.write(folder)
    extra = {
        "test_openings": openings,
        "training": read_record(folder.training),
        "parameters": bundle.parameter_count,
        "seconds": round(time.monotonic() - began, 3),
    }
    for stale in (folder.report, folder.evidence):  # of before it was measured
        stale.unlink(missing_ok=True)
    write_json(folder.scores, keep({"run": str(folder.path), **summary, **extra}))
    gather(folder, exam.tested(summary, watch.check), watch)
    write_bytes(folder.report, page.render(record(folder, catalog, language)).encode())


def _made(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AurifyError(f"--out {path} cannot be made: {error.strerror}") from None
    return path
