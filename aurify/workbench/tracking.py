"""The verb track: send a run folder, finished or not, to trackers."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from aurify.core.errors import AurifyError
from aurify.core.folder import RunFolder
from aurify.track.follow import Sending
from aurify.track.record import Record
from aurify.track.sink import Sink, Status, reached

ANSWER_SECONDS = 60
"""Longer than a fit waits: a server may pass a large model on before it answers."""


def track(run: str | Path, to: Sequence[str]) -> dict[str, Any]:
    """Send what each of the trackers (``mlflow``, ``mlflow:URI``, ``tensorboard:DIR``) lacks of a run, and its files.

    Returns for each its name, its place, the link to the run there and how many values were sent. Raises AurifyError
    when one cannot be reached or does not take it.
    """
    folder = RunFolder(Path(run))
    if not folder.begun():
        raise AurifyError(f"{run} is not a run folder; give one that aurify fit has made or is working in")
    if not to:
        raise AurifyError("name where to send the run: --to mlflow or --to tensorboard")
    with ExitStack() as stack:
        sinks = reached(to, stack, ANSWER_SECONDS)
        record = Record(folder)
        sent = [_sent(sink, record) for sink in sinks]
    return {"run": str(run), "finished": record.finished, "sent": sent}


def _sent(sink: Sink, record: Record) -> dict[str, Any]:
    try:
        count = Sending(sink, record).finish(Status.FINISHED if record.finished else Status.RUNNING)
    except Exception as error:
        raise AurifyError(
            f"{sink.name()} at {sink.place} did not take it all ({sink.reason(error)}); try again"
        ) from None
    return {"to": sink.name(), "place": sink.place, "link": sink.link(), "values": count}
