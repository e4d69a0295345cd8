"""Signals and the clock: flags that long work polls, so that stopping never loses anything."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType
from typing import Self

from aurify.core.errors import Interrupted


class StoppedAtOnceError(BaseException):
    """A second signal came before the first one's work was saved; no ``except Exception`` holds it up."""

    def __init__(self, signal_number: int):
        super().__init__(f"stopped at once by {signal.Signals(signal_number).name}; --resume takes the last checkpoint")
        self.signal_number = signal_number


class Watch:
    """Catches SIGINT and SIGTERM inside a ``with`` block; a second one interrupts at once.

    ``limit_seconds`` bounds the work by the clock, counted from ``spent_seconds`` (what earlier sittings used).
    """

    def __init__(self, limit_seconds: float | None = None, spent_seconds: float = 0.0):
        self.signal_number: int | None = None
        self.limit_seconds = limit_seconds
        self._spent = spent_seconds
        self._began = time.monotonic()
        self._before: dict[int, object] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # pyright: ignore[reportArgumentType]

    def stop(self, number: int | None) -> None:
        """Act as if a signal had come, or with None as if none had."""
        self.signal_number = number

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.signal_number is not None:
            raise StoppedAtOnceError(number)
        self.signal_number = number

    def resume_at(self, spent_seconds: float) -> None:
        """Count time that an earlier sitting of the same run has used."""
        self._spent = spent_seconds

    @property
    def spent(self) -> float:
        """Seconds used so far, earlier sittings included."""
        return self._spent + time.monotonic() - self._began

    @property
    def remaining(self) -> float:
        return float("inf") if self.limit_seconds is None else self.limit_seconds - self.spent

    def check(self) -> None:
        """Raise Interrupted when a signal came; for places where nothing needs saving."""
        if self.signal_number is not None:
            name = signal.Signals(self.signal_number).name
            raise Interrupted(f"stopped by {name}; what was done is saved: go on with --resume", self.signal_number)
