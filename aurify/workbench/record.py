"""What the plain files of a finished run tell, for its report and for whoever looks at it from Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aurify.catalog import Catalog
from aurify.core.errors import AurifyError
from aurify.core.files import read_json
from aurify.core.folder import RunFolder
from aurify.core.words import Said, listed, recall
from aurify.report.section import Record


def record(folder: RunFolder, catalog: Catalog, language: str = "en") -> Record:
    """What the report shows of a finished run, from its plain files alone."""
    return Record(
        folder=folder,
        recipe=catalog.read_recipe(folder.recipe),
        summary=recall(
            _plain(folder.scores, "model", "scores", "members", "baseline_scores", "differences", "verdict")
        ),
        findings=[
            Said.from_plain(_checked(finding, folder.findings, "template", "values"))
            for finding in read_json(folder.findings, list)
        ],
        log=progress(folder),
        environment=_plain(folder.environment, "threads"),
        openings=folder.read_openings(),
        evidence=folder.read_evidence(),
        language=language,
    )


def progress(folder: RunFolder) -> list[dict[str, Any]]:
    """Each validation of a run, of folds one after another with the number of each."""
    inner = sorted(folder.folds.glob("[0-9]*"), key=lambda path: int(path.name))
    every = {None: folder.progress} | {int(path.name): RunFolder(path).progress for path in inner}
    found = []
    for fold, path in every.items():
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        found += [_validation(line, path) | ({} if fold is None else {"fold": fold}) for line in lines]
    return found


def _validation(line: str, path: Path) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        found = None
    return _checked(found, path, "step", "epoch")


def _plain(path: Path, *keys: str) -> dict[str, Any]:
    return _checked(read_json(path), path, *keys)


def _checked(found: Any, path: Path, *keys: str) -> dict[str, Any]:
    """What was read, if it has what a report cannot do without."""
    lacking = [repr(key) for key in keys if not isinstance(found, dict) or key not in found]
    if lacking:
        raise AurifyError(f"{path} is damaged (it lacks {listed(lacking)}); start again with --force")
    return found
