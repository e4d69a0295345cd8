"""The verb export: a run's model as one ONNX file that answers as it does."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aurify.core.errors import AurifyError
from aurify.core.folder import RunFolder
from aurify.ship import export as shipping
from aurify.ship import trial
from aurify.ship.bundle import Bundle
from aurify.training import device as devices
from aurify.workbench.passed import Passed, catalog_with
from aurify.workbench.runs import FittedRun
from aurify.workbench.subjects import subject_of


def export(
    run: str | Path, path: str | Path, *, parts: Sequence[str | Path] = (), network: Passed = None, force: bool = False
) -> dict[str, Any]:
    """Write a run's model, preparing included, as one ONNX file; returns what was measured when it was checked.

    It is checked on the run's held-out rows, for a model file on drawn rows, and on both with cells missing or unknown.
    Raises AurifyError for parts that cannot be exported and for a file that is there already.
    """
    began = time.monotonic()
    source, target = Path(run), Path(path)
    if target.exists() and not force:
        raise AurifyError(f"{target} exists already; replace it with --force")
    catalog, _ = catalog_with(parts, network)
    folder = RunFolder(source) if source.is_dir() else None
    if folder is None:
        bundle = Bundle.load(source, catalog, devices.choose("cpu"))
        rows, spread = trial.drawn(bundle.schema, bundle.recipe.seed), None
    else:
        bundle = FittedRun(source, catalog, "cpu").bundle
        rows, spread = subject_of(bundle.recipe.task).tried(folder, bundle)
    record = shipping.export(bundle, target, trial.with_gaps(rows, bundle.recipe.seed), spread)
    return {"run": str(run), **record, "seconds": round(time.monotonic() - began, 3)}
