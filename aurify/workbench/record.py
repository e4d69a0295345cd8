"""What the plain files of a finished run tell, for its report and for whoever looks at it from Python."""

from __future__ import annotations

from typing import Any

from aurify.catalog import Catalog
from aurify.core.errors import AurifyError
from aurify.core.files import read_listed, read_record
from aurify.core.folder import RunFolder
from aurify.core.words import recall
from aurify.data.findings import Finding, Findings
from aurify.report.section import Inspection, Record


def record(folder: RunFolder, catalog: Catalog, language: str = "en") -> Record:
    """What the report shows of a finished run, from its plain files alone."""
    recipe = catalog.read_recipe(folder.recipe)
    return Record(
        folder=folder,
        source=recipe.source,
        recipe=recipe,
        summary=read_record(folder.scores),
        findings=read_findings(folder),
        log=folder.read_progress(),
        environment=read_record(folder.environment) if folder.environment.exists() else {},
        openings=folder.read_openings(),
        evidence=read_evidence(folder),
        ledger=read_ledger(folder),
        tuning=read_tuning(folder),
        trials=read_trials(folder),
        language=language,
    )


def shown(folder: RunFolder, catalog: Catalog, language: str = "en") -> Inspection:
    """What a page shows: the finished run, or what studies say of it where nothing is measured yet."""
    if folder.finished():
        return record(folder, catalog, language)
    return Inspection(
        folder=folder,
        source=catalog.read_recipe(folder.recipe).source,
        findings=read_findings(folder),
        evidence={},
        ledger=read_ledger(folder),
        tuning=read_tuning(folder),
        trials=read_trials(folder),
        language=language,
    )


def read_findings(folder: RunFolder) -> Findings:
    """What was found in the data of a run; raises AurifyError where its file is damaged."""
    return Findings(read_listed(folder.findings, Finding.from_plain))


def read_ledger(folder: RunFolder) -> dict[str, Any] | None:
    """What each ingredient was worth, where that was measured; raises AurifyError where its file is damaged."""
    return read_record(folder.ledger) if folder.ledger.exists() else None


def read_tuning(folder: RunFolder) -> dict[str, Any] | None:
    """What a search of settings found, where there was one; raises AurifyError where its file is damaged."""
    return read_record(folder.tuning) if folder.tuning.exists() else None


def read_trials(folder: RunFolder) -> list[dict[str, Any]]:
    """Every trial of a search by number, none where there was no search; raises AurifyError where they are damaged."""
    found = read_listed(folder.trials, lambda plain: dict(recall(plain))) if folder.trials.exists() else []
    return sorted(found, key=lambda trial: trial.get("number", 0))


def read_evidence(folder: RunFolder) -> dict[str, Any]:
    """What sections have measured; nothing of a damaged file: all of it can be measured anew."""
    try:
        return read_record(folder.evidence) if folder.evidence.exists() else {}
    except AurifyError:
        return {}
