"""What a finished run shows: its evidence, measured once beside the scores, and the report made of its plain files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from aurify.core.errors import AurifyError, suggest
from aurify.core.files import write_bytes, write_json
from aurify.core.folder import RunFolder
from aurify.core.watch import Watch
from aurify.core.words import LANGUAGES
from aurify.report import page
from aurify.report.section import sections_for
from aurify.training import device as devices
from aurify.workbench.record import read_evidence, shown
from aurify.workbench.subjects import subject_of

if TYPE_CHECKING:
    from aurify.workbench.runs import FittedRun


def gather(folder: RunFolder, tested: Any, watch: Watch) -> None:
    """Let every section measure what it shows, and keep it in ``evidence.json``; those that have it already do not.

    Where the time is up, the rest is left for ``aurify report`` to measure.
    """
    evidence = read_evidence(folder)
    for section in sections_for(tested.recipe.task):
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
    if summary is not None and any(each.name() not in known for each in sections_for(fitted.recipe.task)):
        with Watch() as watch, devices.prepared(fitted.device):
            exam = subject_of(fitted.recipe.task).exam(folder, fitted.bundle, fitted.catalog)
            exam.answer(watch.check)
            gather(folder, exam.tested(summary, watch.check), watch)
    write_bytes(path, page.render(shown(folder, fitted.catalog, language)).encode())
    return path


def require_language(language: str) -> None:
    """Raise AurifyError for a language that no report is written in."""
    if language not in LANGUAGES:
        raise AurifyError(f"no report in {language!r}{suggest(language, LANGUAGES)}")
