"""Checkpoints: everything a run needs to go on as if it had never stopped, two of them, verified when read."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch

from aurify.core.archive import DamagedError, load, pack, save, unpack
from aurify.core.errors import AurifyError, DivergedError
from aurify.core.files import unwritable, write_bytes, write_json
from aurify.core.folder import RunFolder
from aurify.core.parts import Technique
from aurify.core.run import Run
from aurify.core.watch import Watch
from aurify.core.words import Said, plainly

LEAST_SECONDS = 2.0
COST_SHARE = 0.02
KEPT = 2
DISK_SPEED = 120e6
"""Bytes a second."""


class Keeper:
    """Saves and restores a run in its folder; without a folder it keeps choices in memory and saves nothing.

    A checkpoint is due when ``every_seconds`` have passed or, by default, when saving has cost no more than 2 % of
    the time since the last one. Unless what is saved ``lasts`` beyond the training, no error names it.
    """

    def __init__(
        self,
        folder: RunFolder | None,
        every_seconds: float | None = None,
        note: Callable[[str], None] = lambda text: None,
        *,
        lasts: bool = True,
    ):
        self.folder, self.every_seconds, self.note, self.lasts = folder, every_seconds, note, lasts
        self._choices: dict[str, Any] = folder.choices_made() if folder else {}
        self._saved_at, self._cost = time.monotonic(), 0.0

    # choices made by measuring: written down before they take effect, replayed on resume

    def chosen(self, name: str, measure: Callable[[], Any]) -> Any:
        """Return the choice made earlier, or measure, write it down and return it."""
        if name not in self._choices:
            self._choose(name, measure())
        return self._choices[name]

    def _choose(self, name: str, value: Any) -> None:
        if self.folder is not None:
            self.folder.choose(name, value)
        self._choices[name] = value

    def micro_batch(self, step: int, batch_size: int) -> int:
        """Rows per forward pass at a step: the whole batch unless memory once ran out at or before it."""
        sizes = [size for since, size in self._choices.get("micro_batches", []) if since <= step]
        return min([batch_size, *sizes])

    def choose_micro_batch(self, step: int, size: int) -> None:
        self._choose("micro_batches", [*self._choices.get("micro_batches", []), [step, size]])
        self.note(f"memory ran out at step {step}: batches are computed in pieces of {size} rows from there")

    # saving

    def due(self) -> bool:
        wait = self.every_seconds if self.every_seconds is not None else max(LEAST_SECONDS, self._cost / COST_SHARE)
        return self.folder is not None and time.monotonic() - self._saved_at >= wait

    def save_if_due(self, run: Run, optimizer: Any, watch: Watch) -> None:
        if self.due():
            self.save(run, optimizer, watch)

    def save_if_finite(self, run: Run, optimizer: Any, watch: Watch) -> None:
        if all(bool(torch.isfinite(p).all()) for p in run.model.parameters()):
            self.save(run, optimizer, watch)

    def save(self, run: Run, optimizer: Any, watch: Watch) -> None:
        """Write a checkpoint, then remove the oldest. Raises DivergedError rather than save broken weights."""
        if self.folder is None:
            return
        began = time.monotonic()
        if not all(bool(torch.isfinite(p).all()) for p in run.model.parameters()):
            where = f"the last good checkpoint is kept in {self.folder.checkpoints}; " if self.lasts else ""
            raise DivergedError(
                f"the weights are no longer finite at step {run.step}; {where}lower optimizer.learning_rate or add"
                " --with gradient_clipping"
            )
        try:
            self.folder.checkpoints.mkdir(exist_ok=True)
        except OSError as error:
            raise unwritable(self.folder.checkpoints, error) from None
        document, tensors = pack(_tree(run, optimizer, watch))
        save(self.folder.checkpoints / f"step-{run.step:09d}.aurify", "checkpoint", document, tensors)
        for old in self._saved()[KEPT:]:
            old.unlink()
        self._saved_at, self._cost = time.monotonic(), time.monotonic() - began

    def _saved(self) -> list[Path]:
        """Checkpoints, newest first."""
        assert self.folder is not None
        return sorted(self.folder.checkpoints.glob("step-*.aurify"), reverse=True)

    def restore(self, run: Run, optimizer: Any, watch: Watch, until: int) -> None:
        """Put the newest sound checkpoint into a run that has just begun; without one, do nothing.

        Those of more steps than ``until`` are left alone: what was taken further is not what was asked for.
        """
        if self.folder is None:
            return
        # until one is measured: weights, two moments and a best copy, at the speed of a plain disk
        self._cost = 4 * sum(p.numel() * p.element_size() for p in run.model.parameters()) / DISK_SPEED
        for path in (path for path in self._saved() if _step(path) <= until):
            try:
                tree = unpack(*load(path, "checkpoint"))
            except DamagedError as error:
                path.rename(path.with_suffix(".damaged"))  # else it would outrank the checkpoints to come
                older = "the checkpoint before it" if self._saved() else "the beginning: no other checkpoint is left"
                self.note(f"{error}; going on from {older}")
                continue
            _put(tree, run, optimizer)
            watch.resume_at(tree["seconds"])
            break
        lines = "".join(json.dumps(entry) + "\n" for entry in run.log)
        write_bytes(self.folder.progress, lines.encode())

    # records beside the checkpoints

    def record(self, entry: dict[str, Any]) -> None:
        """Add a line to ``progress.jsonl``."""
        if self.folder is not None:
            try:
                with self.folder.progress.open("a") as file:
                    file.write(json.dumps(entry) + "\n")
            except OSError as error:
                raise unwritable(self.folder.progress, error) from None

    def record_divergence(self, record: dict[str, Any]) -> str:
        """Write all that is known down and say where; "" where nothing lasts."""
        if self.folder is None or not self.lasts:
            return ""
        write_json(self.folder.divergence, record)
        return f"all of it is in {self.folder.divergence}, the last good checkpoint beside it; "


def _step(path: Path) -> int:
    return int(path.stem.partition("-")[2])


def _tree(run: Run, optimizer: Any, watch: Watch) -> dict[str, Any]:
    return {
        "step": run.step,
        "best": run.best,
        "unscored": run.unscored,
        "stopped": None if run.stopped is None else plainly(run.stopped),
        "ended": {str(member): [step, plainly(why)] for member, (step, why) in run.ended.items()},
        "log": torch.frombuffer(bytearray(json.dumps(run.log).encode()), dtype=torch.uint8),  # may grow long
        "seconds": watch.spent,
        "model": dict(run.model.state_dict()),
        "optimizer": optimizer.state_dict(),
        "feed": run.problem.feed.state(),
        "techniques": {t.name(): {name: getattr(t, name) for name in _states(t)} for t in run.techniques},
    }


def _put(tree: dict[str, Any], run: Run, optimizer: Any) -> None:
    try:
        run.model.load_state_dict(tree["model"])
        optimizer.load_state_dict(tree["optimizer"])
        run.problem.feed.restore(tree["feed"])
        for technique in run.techniques:
            for name, value in tree["techniques"][technique.name()].items():
                setattr(technique, name, _to(value, run.device))
        run.step, run.best, run.unscored = tree["step"], tree["best"], tree["unscored"]
        run.stopped = None if tree["stopped"] is None else Said.from_plain(tree["stopped"])
        run.ended = {int(member): (step, Said.from_plain(why)) for member, (step, why) in tree["ended"].items()}
        run.log = json.loads(tree["log"].numpy().tobytes())
    except (KeyError, RuntimeError, ValueError) as error:
        raise AurifyError(
            f"the checkpoint does not fit this recipe ({str(error).splitlines()[0]}); start again with --force"
        ) from None


def _states(technique: Technique) -> list[str]:
    return [f.name for f in fields(technique) if not f.init]


def _to(value: Any, device: torch.device) -> Any:
    if isinstance(value, torch.Tensor):
        return value.to(device)
    return {k: _to(v, device) for k, v in value.items()} if isinstance(value, dict) else value
