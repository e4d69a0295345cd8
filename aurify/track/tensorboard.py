"""The sink tensorboard: event files that ``tensorboard --logdir`` shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from aurify.core.errors import AurifyError
from aurify.track.record import Point, Record, text
from aurify.track.sink import Sink, Status


class Tensorboard(Sink):
    """Curves and scores as scalars, recipe and environment as texts, settings beside the scores under HPARAMS.

    Event files can only be added to, so each sitting writes all of the run into a new one and takes the old one away.
    """

    def reach(self) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise self.needs("tensorboard") from None
        self._make = SummaryWriter
        self._writer: Any = None
        self.place = self.where or "the run folder"
        if self.where is None:
            return
        try:
            Path(self.where).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise AurifyError(
                f"tensorboard:{self.where} cannot be made: {error.strerror}; name another folder"
            ) from None

    def begin(self, record: Record) -> set[tuple[str, int]]:
        self._close()
        if self.where is None:
            folder = record.folder.tensorboard
        else:
            folder = Path(self.where) / f"{record.folder.path.resolve().name}-{record.name[:8]}"
        self.place = str(folder)
        for old in folder.glob(f"events.out.tfevents.*.{record.name}"):
            old.unlink()
        self._writer = self._make(self.place, filename_suffix=f".{record.name}")
        recipe = record.folder.recipe.read_text(encoding="utf-8")
        for name, lines in {"recipe": recipe.splitlines(), "environment": _lines(record.environment())}.items():
            self._writer.add_text(name, "\n".join(f"    {line}" for line in lines), walltime=record.began / 1000)
        self._writer.flush()
        return set()

    def send(self, points: Sequence[Point]) -> None:
        for point in points:
            self._writer.add_scalar(point.name, point.value, point.step, walltime=point.when / 1000)
        self._writer.flush()

    def finish(self, record: Record, status: Status) -> None:
        if record.finished:
            from torch.utils.tensorboard.summary import hparams

            tested = {point.name: point.value for point in record.scores() if point.name.startswith("test/")}
            plain = {k: v if isinstance(v, (bool, int, float)) else text(v) for k, v in record.settings().items()}
            for summary in hparams(plain, tested):
                self._writer.file_writer.add_summary(summary)
            self._writer.add_text("verdict", record.summary["verdict"])
        self._close()

    def _close(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.close()


def _lines(plain: dict[str, Any]) -> Iterator[str]:
    for name, value in plain.items():
        yield f"{name}: {text(value)}"
