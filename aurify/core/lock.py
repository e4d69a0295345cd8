"""One process at a time in a folder: a lock that ends with its process, however that ends."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import IO

TRIES = 100
"""Each one is lost to a process that has meanwhile left the folder and taken its lock file away."""


class Lock:
    """The lock file of a folder.

    It is removed by whoever holds it, so a lock counts only while its file is the one on disk: a late comer may have
    opened a file that was removed before it was locked, and another process may have made and locked a new one since.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.path = folder / ".lock"
        self._file: IO[str] | None = None

    def take(self) -> bool:
        """Make the folder and lock it; False where another process has it. Raises OSError where it cannot be made."""
        lost: OSError | None = None
        for _ in range(TRIES):
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                file = self.path.open("w")
            except (FileExistsError, FileNotFoundError) as error:  # it vanished while this was looked at or opened
                lost = error
                continue
            if not _locked(file):
                file.close()
                return False
            self._file = file
            if self.held():
                return True
            self._file = None
            file.close()
        if lost is not None:
            raise lost
        return False

    def held(self) -> bool:
        """Say whether this process has the lock of the folder that is on disk now."""
        if self._file is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._file.fileno()), self.path.stat())
        except OSError:
            return False

    def drop(self, *, empty: bool) -> None:
        """Let others in; where nothing was begun (``empty``), the folder goes too, unless there is something in it."""
        if self._file is None:
            return
        with self._file, contextlib.suppress(OSError):
            if self.held():
                self.path.unlink()
                if empty:
                    self.folder.rmdir()
        self._file = None


def _locked(file: IO[str]) -> bool:
    """Lock a file; False where another process has it locked."""
    try:
        import fcntl
    except ImportError:  # no such lock on Windows: best effort
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
