"""The run folder: one plain place for everything a run did, held by one process at a time."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from aurify.core.errors import AurifyError
from aurify.core.files import read_record, unwritable, write_json
from aurify.core.lock import Lock


class RunFolder:
    """Paths of one run and small durable records in it."""

    def __init__(self, path: Path):
        self.path = path
        self._lock = Lock(path)
        self.recipe = path / "recipe.yaml"
        self.environment = path / "environment.json"
        self.findings = path / "findings.json"
        self.store = path / "store"
        self.images = path / "images.parquet"
        self.parts = path / "parts.aurify"
        self.checkpoints = path / "checkpoints"
        self.folds = path / "folds"
        self.agents = path / "agents"
        self.training = path / "training.json"
        self.divergence = path / "diverged.json"
        self.choices = path / "choices.json"
        self.progress = path / "progress.jsonl"
        self.bundle = path / "model.aurify"
        self.openings = path / "openings.jsonl"
        self.predictions = path / "predictions.parquet"
        self.episodes = path / "episodes.parquet"
        self.scores = path / "scores.json"
        self.evidence = path / "evidence.json"
        self.report = path / "report.html"
        self.ledger = path / "ledger.json"
        self.ablation = path / "ablation"
        self.simplified = path / "simplified.yaml"
        self.trials = path / "trials.json"
        self.tuning = path / "tuning.json"
        self.search = path / "search"
        self.tracking = path / "tracking.json"
        self.tensorboard = path / "tensorboard"

    def exists(self) -> bool:
        """Say whether anything of a run is there, whole or not."""
        return any(item.exists() for item in self._own())

    def begun(self) -> bool:
        """Say whether there is a run to go on with: a complete recipe and its data."""
        return self.recipe.exists() and self.store.exists() and self.parts.exists()

    def finished(self) -> bool:
        return self.begun() and self.scores.exists()

    def tuned(self) -> bool:
        """Say whether a search chose the recipe here: its test part stays sealed until ``aurify evaluate``."""
        return self.trials.exists() or self.tuning.exists() or self.search.exists()

    def hold(self) -> None:
        """Make the folder and keep other processes out until this one ends, however it ends."""
        if not self._taken():
            raise AurifyError(f"another process is working in {self.path}; wait for it or choose --out")
        for left in self.path.rglob(".*.tmp"):  # of a process that was killed while it wrote
            shutil.rmtree(left, ignore_errors=True) if left.is_dir() else left.unlink()

    @contextmanager
    def held(self) -> Iterator[Self]:
        """Hold the folder inside a ``with`` block."""
        self.hold()
        try:
            yield self
        finally:
            self.release()

    def claim(self) -> bool:
        """Make the folder and hold it; False, and nothing is changed, where somebody has it or had it before."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            self.path.mkdir()
        except FileExistsError:
            return False
        except OSError as error:
            raise self._unwritable(error) from None
        if not self._taken():
            return False
        if self.exists():  # whoever named it was here and is done
            self.release()
            return False
        return True

    def release(self) -> None:
        """Let other processes in; a folder in which nothing was begun is not left behind."""
        self._lock.drop(empty=not self.exists())

    def _taken(self) -> bool:
        try:
            return self._lock.take()
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> AurifyError:
        return AurifyError(f"the run folder {self.path} cannot be written: {error.strerror}; choose --out")

    def fold(self, number: int) -> RunFolder:
        """The place of one fold's own training, numbered from 1."""
        return RunFolder(self.folds / str(number))

    def clear(self) -> None:
        """Remove what an earlier run left and nothing else, the recipe first: without it there is no run any more."""
        kept = (self.openings, self.checkpoints, self.folds)
        for item in [self.recipe, *(path for path in self._own() if path not in kept)]:
            if item.is_dir():
                shutil.rmtree(item, ignore_errors=True)
            else:
                item.unlink(missing_ok=True)
        for pattern in ("step-*.aurify", "step-*.damaged", ".*.tmp"):
            for item in self.checkpoints.glob(pattern):
                item.unlink()
        for inner in self.folds.glob("[0-9]*"):
            RunFolder(inner).clear()
            _remove_empty(inner)
        _remove_empty(self.checkpoints)
        _remove_empty(self.folds)

    def _own(self) -> list[Path]:
        return [item for item in vars(self).values() if isinstance(item, Path) and item != self.path]

    def contents(self) -> list[str]:
        """What lies in the folder, hidden files apart; nothing where it is not there, or not any more."""
        try:
            return [path.name for path in self.path.iterdir() if not path.name.startswith(".")]
        except FileNotFoundError:
            return []

    def foreign(self) -> bool:
        """Say whether the folder is somebody else's: it holds what no run writes, and nothing that only a run does."""
        own = {item.name for item in self._own()}
        strange = any(name not in own for name in self.contents())
        return strange and not any(item.exists() for item in (self.recipe, self.store, self.parts, self.bundle))

    def record_opening(self, verb: str, purpose: str, part: str) -> int:
        """Record one look at the sealed test part and return how many there have been, in the runs beside this one too.

        ``part`` identifies the test rows and their targets. A repeat of the very same work (``purpose``), as after a
        kill, is one look. The record outlives ``--force``.
        """
        own = [o for o in self.read_openings() if o["part"] == part]
        if not any(o["purpose"] == purpose for o in own):
            now = datetime.now(UTC).isoformat(timespec="seconds")
            line = json.dumps({"at": now, "verb": verb, "purpose": purpose, "part": part}) + "\n"
            if self.openings.exists() and not self.openings.read_bytes().endswith(b"\n"):
                line = "\n" + line  # the last one was cut short by a kill
            try:
                handle = os.open(self.openings, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
                try:
                    os.write(handle, line.encode())
                    os.fsync(handle)
                finally:
                    os.close(handle)
            except OSError as error:
                raise unwritable(self.openings, error) from None
        beside = [RunFolder(path.parent) for path in self.path.parent.glob(f"*/{self.openings.name}")]
        known = {run.path.resolve(): run for run in beside}  # ``latest`` is one of them once more
        return sum(o["part"] == part for run in known.values() for o in run.read_openings())

    def read_progress(self) -> list[dict[str, Any]]:
        """Each validation, of folds one after another with the number of each in ``fold``.

        A line that is still being written is left out. Raises AurifyError when another one is damaged.
        """
        numbers = sorted(int(path.name) for path in self.folds.glob("*") if path.name.isdecimal())
        lines = _complete_lines(self.progress)
        for number in numbers:
            lines += [{**line, "fold": number} for line in _complete_lines(self.fold(number).progress)]
        return lines

    def read_openings(self) -> list[dict[str, str]]:
        """All looks recorded here; a line that a kill cut short is passed over."""
        if not self.openings.exists():
            return []
        past = []
        for line in self.openings.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                opening = json.loads(line)
                past.append({key: str(opening[key]) for key in ("at", "verb", "purpose", "part")})
            except (ValueError, TypeError, KeyError, RecursionError):
                continue
        return past

    @property
    def shipped(self) -> str:
        """A short name for the model that lies here: the same for the same bytes."""
        return hashlib.sha256(self.bundle.read_bytes()).hexdigest()[:16]

    def looks_before(self) -> int:
        """How many looks at the test part there were before the first one at what the model that lies here answers."""
        purposes = [opening["purpose"] for opening in self.read_openings()]
        own = (at for at, purpose in enumerate(purposes) if purpose.endswith(f" {self.shipped}"))
        return next(own, len(purposes))

    def choose(self, name: str, value: Any) -> None:
        """Write a choice made by measuring down before it takes effect."""
        write_json(self.choices, {**self.choices_made(), name: value})

    def choices_made(self) -> dict[str, Any]:
        return read_record(self.choices) if self.choices.exists() else {}

    def mark_latest(self) -> None:
        """Point ``latest`` beside the folder at it."""
        link = self.path.absolute().parent / "latest"
        if link.is_symlink() or not link.exists():
            temporary = link.with_name(f".latest.{os.getpid()}")
            try:
                temporary.unlink(missing_ok=True)
                temporary.symlink_to(self.path.name)
                temporary.replace(link)
            except OSError:  # file systems without links
                temporary.unlink(missing_ok=True)


def _complete_lines(path: Path) -> list[dict[str, Any]]:
    try:
        whole = path.read_text(encoding="utf-8").rpartition("\n")[0] if path.exists() else ""
        return [dict(json.loads(line)) for line in whole.splitlines()]
    except (OSError, TypeError, ValueError, RecursionError) as error:
        raise AurifyError(f"{path} is damaged ({error}); start again with --force") from None


def _remove_empty(path: Path) -> None:
    if path.is_dir() and not any(path.iterdir()):
        path.rmdir()


def named(source_name: str, root: Path = Path("runs")) -> list[Path]:
    """Existing run folders of a name, oldest first: ``churn``, ``churn-2``, ..."""
    stem = folder_name(source_name)
    numbered = {1: root / stem} if (root / stem).exists() else {}
    for path in root.glob(f"{stem}-*"):
        tail = path.name[len(stem) + 1 :]
        if tail.isdecimal():
            numbered[int(tail)] = path
    return [numbered[n] for n in sorted(numbered)]


def latest(root: Path = Path("runs")) -> list[Path]:
    """The run that ``latest`` points at, or none."""
    link = root / "latest"
    return [link.resolve()] if link.exists() else []


def claim(source_name: str, root: Path = Path("runs")) -> RunFolder:
    """Make and hold the next free run folder of a name; processes that ask at once get one each. Numbers only rise."""
    stem = folder_name(source_name)
    taken = named(source_name, root)
    number = 1 if not taken else 2 if taken[-1].name == stem else int(taken[-1].name[len(stem) + 1 :]) + 1
    while True:
        folder = RunFolder(root / (stem if number == 1 else f"{stem}-{number}"))
        if folder.claim():
            return folder
        number += 1


def inspected(source_name: str, root: Path = Path("runs")) -> Path:
    """Where an inspection of a source goes, replacing an earlier one."""
    return root / f"{folder_name(source_name)}-inspected"


def ablated(source_name: str, root: Path = Path("runs")) -> Path:
    """Where an ablation of a source goes, or goes on."""
    return root / f"{folder_name(source_name)}-ablated"


def tuned(source_name: str, root: Path = Path("runs")) -> Path:
    """Where a tuning of a source goes, or goes on."""
    return root / f"{folder_name(source_name)}-tuned"


def compared(source_name: str, root: Path = Path("runs")) -> Path:
    """Where a comparison of methods of search goes, or goes on."""
    return root / f"{folder_name(source_name)}-compared"


def folder_name(source_name: str) -> str:
    """A safe folder name: letters, digits, ``_``, ``.`` and ``-``."""
    stem = Path(source_name).name.split(".")[0]
    return re.sub(r"[^\w.-]+", "_", stem).strip("._-")[:80] or "run"
