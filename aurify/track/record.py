"""What a run folder has to tell a tracker: settings, curves, scores and files, read anew whenever asked."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aurify.core.errors import AurifyError
from aurify.core.files import read_record, write_json
from aurify.core.folder import RunFolder
from aurify.core.recipe import flat, load_yaml

NO_CURVES = ("step", "epoch", "seconds", "fold")
"""Numbers of a line of progress that say when it was, not how well."""
FILES = ("recipe.yaml", "environment.json", "findings.json", "training.json", "scores.json", "report.html")
"""Sent as they are, and the model. The predictions and the evidence stay: they are about single rows."""


@dataclass(frozen=True)
class Point:
    """One value of a curve, or one score. ``when`` is in milliseconds since 1970 and the same whenever it is sent."""

    name: str
    step: int
    value: float
    when: int


class Record:
    """One run's folder, finished or not, and the name that trackers know it by.

    That name is written to ``tracking.json`` before anything is sent: whoever sends the folder again, after a kill or
    weeks later, goes on where the tracker's own record of that name ends.
    """

    def __init__(self, folder: RunFolder):
        self.folder = folder
        if not folder.tracking.exists():
            began = int(folder.recipe.stat().st_mtime * 1000)
            write_json(folder.tracking, {"name": uuid.uuid4().hex, "began": began})
        known = read_record(folder.tracking)
        # the name stands in paths and in questions to a server
        if not (re.fullmatch(r"[0-9a-f]{32}", str(known.get("name"))) and type(known.get("began")) is int):
            raise AurifyError(f"{folder.tracking} is damaged; delete it, and the run is sent as a new one")
        self.name: str = known["name"]
        self.began: int = known["began"]

    def settings(self) -> dict[str, Any]:
        """The recipe as ``network.width: 128``."""
        return flat(load_yaml(self.folder.recipe))

    def environment(self) -> dict[str, Any]:
        return read_record(self.folder.environment) if self.folder.environment.exists() else {}

    @property
    def finished(self) -> bool:
        return self.folder.finished()

    @property
    def summary(self) -> Mapping[str, Any]:
        """What ``scores.json`` holds; only of a finished run."""
        return read_record(self.folder.scores)

    def points(self) -> list[Point]:
        """Everything known by now, in order: each validation and, once the run is measured, the scores."""
        return [*self.curves(), *(self.scores() if self.finished else ())]

    def curves(self) -> Iterator[Point]:
        """The numbers of every validation; those of a fold are called ``fold_N/...``."""
        for entry in self.folder.read_progress():
            prefix = f"fold_{entry['fold']}/" if "fold" in entry else ""
            when = self.began + int(1000 * entry["seconds"])
            for name, value in entry.items():
                if name not in NO_CURVES and isinstance(value, (int, float)):
                    yield Point(f"{prefix}{name}", entry["step"], float(value), when)

    def scores(self) -> Iterator[Point]:
        """``test/METRIC`` with ``_low`` and ``_high`` ends, and ``members/`` and ``baselines/MODEL/METRIC``."""
        summary, training = self.summary, read_record(self.folder.training)
        values: dict[str, float | None] = {}
        for metric, score in summary["scores"].items():
            values |= {f"test/{metric}": score["value"]}
            values |= {f"test/{metric}_{end}": score[end] for end in ("low", "high")}
        for model, scores in summary["members"].items():
            values |= {f"members/{model}/{metric}": score["value"] for metric, score in scores.items()}
        for model, scores in summary["baselines"].items():
            values |= {f"baselines/{model}/{metric}": value for metric, value in scores.items()}
        when = self.began + int(1000 * training["seconds"])
        for name, value in values.items():
            if value is not None:
                yield Point(name, training["steps"] or 0, value, when)

    def files(self) -> list[Path]:
        """What is sent as it is, as far as it is there."""
        paths = [*(self.folder.path / name for name in FILES), self.folder.bundle]
        return [path for path in paths if path.exists()]


def text(value: Any) -> str:
    """A setting's value as one text that is never empty."""
    return value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
