"""Every version of a file that is replaced while a process works, and when it lay there."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

PAUSE = 0.05
"""Seconds between two looks: a stat each, and a version counts as there only when it is seen."""


class Watching:
    """Links each version of ``file`` into ``folder``, which costs the process nothing; ``seen`` says when each came.

    Seconds count from the beginning of the ``with``. A version that lay there for less than a look is missed.
    """

    def __init__(self, file: Path, folder: Path):
        self.file, self.folder = file, folder
        self.seen: list[tuple[float, Path]] = []
        self._last: tuple[int, int] | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watching:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *failure: object) -> None:
        self._over.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._over.wait(PAUSE):
            self._look()

    def _look(self) -> None:
        place = self.folder / f"{len(self.seen)}{self.file.suffix}"
        try:
            place.unlink(missing_ok=True)
            os.link(self.file, place)
        except FileNotFoundError:
            return
        about = place.stat()
        if (about.st_ino, about.st_mtime_ns) == self._last:
            place.unlink()
            return
        self._last = (about.st_ino, about.st_mtime_ns)
        self.seen.append((time.monotonic() - self._began, place))
