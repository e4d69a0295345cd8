"""Follows a run folder from threads of their own, so that no tracker, gone or slow, holds up the run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from aurify.core.errors import Interrupted
from aurify.core.folder import RunFolder
from aurify.track.record import Record
from aurify.track.sink import Sink, Status, reached

LEAST_SECONDS = 1.0
COST_SHARE = 0.02
RETRY_SECONDS = 30.0
ANSWER_SECONDS = 5
LAST_SECONDS = {Status.FINISHED: 60.0, Status.FAILED: 10.0, Status.KILLED: 5.0}
"""How long a run that ends waits for its trackers."""


class Sending:
    """Sends a folder to a sink that was reached: what it does not have yet, as often as asked."""

    def __init__(self, sink: Sink, record: Record):
        self.sink, self.record = sink, record
        self.sent: set[tuple[str, int]] | None = None

    def send(self) -> int:
        """Send the points that are missing there; returns how many. After a failure the sink is asked what it has."""
        sent, self.sent = self.sent, None
        sent = self.sink.begin(self.record) if sent is None else sent
        points = [point for point in self.record.points() if (point.name, point.step) not in sent]
        if points:
            self.sink.send(points)
        self.sent = sent | {(point.name, point.step) for point in points}
        return len(points)

    def finish(self, status: Status) -> int:
        """Send what is missing, the files, and how the run ended."""
        count = self.send()
        self.sink.finish(self.record, status)
        return count


class Follower(threading.Thread):
    """Sends now and then, so rarely that it costs no more than 2 % of the time, and once more at the end."""

    def __init__(self, sink: Sink, record: Record, note: Callable[[str], None]):
        super().__init__(name=f"aurify track {sink.name()}", daemon=True)  # one that hangs does not hold up the exit
        self.sink, self.note, self.sending = sink, note, Sending(sink, record)
        self.status, self.trouble = Status.RUNNING, "no answer yet"
        self.done, self._ending, self._lost = False, threading.Event(), False

    def run(self) -> None:
        wait = 0.0
        while not self._ending.wait(wait):
            began = time.monotonic()
            wait = RETRY_SECONDS
            if self._tried(self.sending.send):
                wait = max(LEAST_SECONDS, (time.monotonic() - began) / COST_SHARE)
        self.done = self._tried(lambda: self.sending.finish(self.status))

    def _tried(self, work: Callable[[], int]) -> bool:
        try:
            work()
        except Exception as error:  # whatever a tracker's library may raise: the run is worth more
            self.trouble = self.sink.reason(error)
            if not self._lost and not self._ending.is_set():
                self._lost = True
                self.note(f"{self.sink.name()} at {self.sink.place} is lost ({self.trouble}); the run goes on")
            return False
        return True

    def end(self, status: Status, seconds: float) -> None:
        """Let it send the rest for some seconds, and say what came of it."""
        self.status = status
        self._ending.set()
        self.join(seconds)
        if self.done:
            self.note(f"tracked by {self.sink.name()}: {self.sink.link()}")
            return
        word = f"{self.sink.name()}:{self.sink.where and self.sink.place}".rstrip(":")
        why = self.trouble if not self.is_alive() else f"not done after {seconds:.0f} s"
        self.note(
            f"{self.sink.name()} at {self.sink.place} has not got all of the run ({why});"
            f" send the rest with: aurify track {self.sending.record.folder.path} --to {word}"
        )


class Tracking:
    """The trackers of one fit: reached before anything begins, fed while it goes on, told how it ended.

    Raises AurifyError on entering when one is unknown, not installed or does not answer; nothing after that.
    """

    def __init__(self, words: Sequence[str], note: Callable[[str], None]):
        self.note = note
        self._words = words
        self._stack, self._sinks, self._followers = ExitStack(), list[Sink](), list[Follower]()

    def __enter__(self) -> Self:
        with self._stack:
            self._sinks = reached(self._words, self._stack, ANSWER_SECONDS)
            self._stack = self._stack.pop_all()
        return self

    def follow(self, folder: RunFolder) -> None:
        """Begin to send the folder of a run that has begun."""
        for sink in self._sinks:
            self._followers.append(Follower(sink, Record(folder), self.note))
            self._followers[-1].start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if kind is not None and not issubclass(kind, Exception):
                return  # told to stop at once
            stopped = isinstance(error, Interrupted)
            status = Status.FINISHED if error is None else Status.KILLED if stopped else Status.FAILED
            until = time.monotonic() + LAST_SECONDS[status]
            for follower in self._followers:
                follower.end(status, max(0.0, until - time.monotonic()))
