"""What the plain files of a finished run tell, for its report and for whoever looks at it from Python."""

from __future__ import annotations

import json
from typing import Any

from aurify.catalog import Catalog
from aurify.core.files import read_json
from aurify.core.folder import RunFolder
from aurify.core.words import Said, recall
from aurify.report.section import Record


def record(folder: RunFolder, catalog: Catalog, language: str = "en") -> Record:
    """What the report shows of a finished run, from its plain files alone."""
    return Record(
        folder=folder,
        recipe=catalog.read_recipe(folder.recipe),
        summary=recall(read_json(folder.scores)),
        findings=[Said.from_plain(finding) for finding in read_json(folder.findings)],
        log=progress(folder),
        environment=read_json(folder.environment),
        openings=folder.read_openings(),
        evidence=read_json(folder.evidence) if folder.evidence.exists() else {},
        language=language,
    )


def progress(folder: RunFolder) -> list[dict[str, Any]]:
    """Each validation of a run, of folds one after another with the number of each."""
    inner = sorted(folder.folds.glob("[0-9]*"), key=lambda path: int(path.name))
    every = {None: folder.progress} | {int(path.name): RunFolder(path).progress for path in inner}
    found = []
    for fold, path in every.items():
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        found += [json.loads(line) | ({} if fold is None else {"fold": fold}) for line in lines]
    return found
