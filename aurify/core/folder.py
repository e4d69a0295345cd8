"""The run folder: one plain place for everything a run did, held by one process at a time."""

from __future__ import annotations

import json
import os
import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from aurify.core.errors import AurifyError
from aurify.core.files import read_json, write_bytes, write_json


class RunFolder:
    """Paths of one run and small durable records in it."""

    def __init__(self, path: Path):
        self.path = path
        self._lock: IO[str] | None = None
        self.recipe = path / "recipe.yaml"
        self.environment = path / "environment.json"
        self.findings = path / "findings.json"
        self.store = path / "store"
        self.checkpoints = path / "checkpoints"
        self.training = path / "training.json"
        self.divergence = path / "diverged.json"
        self.choices = path / "choices.json"
        self.progress = path / "progress.jsonl"
        self.bundle = path / "model.aurify"
        self.openings = path / "openings.jsonl"
        self.predictions = path / "predictions.parquet"
        self.scores = path / "scores.json"

    def exists(self) -> bool:
        """Say whether anything of a run is there, whole or not."""
        return any(item.exists() for item in self._own())

    def begun(self) -> bool:
        """Say whether there is a run to go on with: a complete recipe and its data."""
        return self.recipe.exists() and self.store.exists()

    def finished(self) -> bool:
        return self.begun() and self.scores.exists()

    def hold(self) -> None:
        """Make the folder and keep other processes out until this one ends, however it ends."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock = (self.path / ".lock").open("w")
        except OSError as error:
            raise AurifyError(f"the run folder {self.path} cannot be written: {error.strerror}; choose --out") from None
        try:
            import fcntl

            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:  # no such lock on Windows: best effort
            pass
        except OSError:
            self.release()
            raise AurifyError(f"another process is working in {self.path}; wait for it or choose --out") from None
        for left in self.path.glob(".*.tmp"):  # of a process that was killed while it wrote
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink()

    def release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        if not self.exists() and self.path.is_dir() and {p.name for p in self.path.iterdir()} <= {".lock"}:
            shutil.rmtree(self.path, ignore_errors=True)  # nothing was begun: leave no empty folder behind

    def clear(self) -> None:
        """Remove what an earlier run left and nothing else, the recipe first: without it there is no run any more."""
        for item in [self.recipe, *self._own()]:
            if item.is_dir():
                shutil.rmtree(item, ignore_errors=True)
            else:
                item.unlink(missing_ok=True)

    def _own(self) -> list[Path]:
        return [item for item in vars(self).values() if isinstance(item, Path) and item != self.path]

    def foreign(self) -> bool:
        """Say whether the folder holds something that no run writes."""
        own = {item.name for item in self._own()}
        return any(p.name not in own and not p.name.startswith(".") for p in self.path.iterdir())

    def record_opening(self, verb: str, purpose: str) -> int:
        """Count one opening of the sealed test part and return how many there are; a repeat of the very same
        unfinished work (``purpose``) is not counted twice."""
        past = self.read_openings()
        if not any(o["purpose"] == purpose for o in past):
            past.append({"at": datetime.now(UTC).isoformat(timespec="seconds"), "verb": verb, "purpose": purpose})
            write_bytes(self.openings, "".join(json.dumps(o) + "\n" for o in past).encode())
        return len(past)

    def read_openings(self) -> list[dict[str, str]]:
        if not self.openings.exists():
            return []
        try:
            past = [json.loads(line) for line in self.openings.read_text(encoding="utf-8").splitlines()]
            assert all(isinstance(o["purpose"], str) for o in past)
            return past
        except (ValueError, TypeError, KeyError, AssertionError) as error:
            raise AurifyError(f"{self.openings} is damaged ({error}); start again with --force") from None

    def choose(self, name: str, value: Any) -> None:
        """Write a choice made by measuring down before it takes effect."""
        write_json(self.choices, {**self.choices_made(), name: value})

    def choices_made(self) -> dict[str, Any]:
        return read_json(self.choices) if self.choices.exists() else {}

    def mark_latest(self) -> None:
        """Point ``latest`` beside the folder at it."""
        link = self.path.parent / "latest"
        if link.is_symlink() or not link.exists():
            temporary = link.with_name(f".latest.{os.getpid()}")
            try:
                temporary.unlink(missing_ok=True)
                temporary.symlink_to(self.path.name)
                temporary.replace(link)
            except OSError:  # file systems without links
                temporary.unlink(missing_ok=True)


def named(source_name: str, root: Path = Path("runs")) -> list[Path]:
    """Existing run folders of a name, oldest first: ``churn``, ``churn-2``, ..."""
    stem = folder_name(source_name)
    numbered = {1: root / stem} if (root / stem).exists() else {}
    for path in root.glob(f"{stem}-*"):
        tail = path.name[len(stem) + 1 :]
        if tail.isdecimal():
            numbered[int(tail)] = path
    return [numbered[n] for n in sorted(numbered)]


def fresh(source_name: str, root: Path = Path("runs")) -> Path:
    """The next free run folder of a name."""
    stem = folder_name(source_name)
    taken = named(source_name, root)
    if not taken:
        return root / stem
    number = 1 if taken[-1].name == stem else int(taken[-1].name[len(stem) + 1 :])
    return root / f"{stem}-{number + 1}"


def folder_name(source_name: str) -> str:
    """A safe folder name: letters, digits, ``_``, ``.`` and ``-``."""
    stem = Path(source_name).name.split(".")[0]
    return re.sub(r"[^\w.-]+", "_", stem).strip("._-")[:80] or "run"
