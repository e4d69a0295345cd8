"""Answers of trainings, by key: where they are kept for ever after, for one program or for several that share them."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from aurify.core.files import unwritable
from aurify.core.words import keep, recall

Answer = Mapping[str, Any]


class Answers(Protocol):
    """What was measured, by key.

    An answer that tells of a failure (``refused``) counts for as long as the one who had it goes on, and is not there
    another time. ``claim`` and ``look`` may be called from several threads. ``version`` is what results depend on
    beside recipe and rows.
    """

    version: Any

    @property
    def at_once(self) -> int | None:
        """How many to claim at a time, since one that waits here could be made elsewhere; None is any number."""
        ...

    def look(self, key: str) -> Answer | None:
        """The answer, where there is one: of this program's own, of an earlier one, or of another that shares them."""
        ...

    def claim(self, key: str) -> bool:
        """Whether to make it here: nobody else has it or is at it. What is claimed is kept or released in the end."""
        ...

    def keep(self, key: str, answer: Answer) -> None:
        """Keep it for ever after; where another one was there first, that one stays the answer."""
        ...

    def share(self, place: Path) -> None:
        """Let others have the files of a training that was made in ``place``; its name says of which."""
        ...

    def fetch(self, file: Path) -> bool:
        """Put one of those files, of whoever made it, in its place here; whether there is one."""
        ...

    def drop(self, place: Path) -> None:
        """Nobody needs the files of a training any more."""
        ...

    def refresh(self) -> None:
        """See what others have kept up to now."""
        ...

    def release(self) -> None:
        """Leave to others what is claimed and not kept."""
        ...

    def close(self) -> None:
        """Release, and let go of whatever is held open."""
        ...


class Lines:
    """A line for each in ``file``, written as soon as it is known; for one program at a time.

    ``version`` is what results depend on beside recipe and rows; lines of another one are not used. Raises AurifyError
    where the file cannot be written.
    """

    at_once = None

    def __init__(self, file: Path, version: Mapping[str, Any]):
        self.file, self.version = file, dict(version)
        self._known, self._torn = self._read()

    def look(self, key: str) -> Answer | None:
        return self._known.get(key)

    def claim(self, key: str) -> bool:
        return key not in self._known

    def keep(self, key: str, answer: Answer) -> None:
        if "refused" not in self._known.get(key, {"refused": None}):
            return
        line = json.dumps({"key": key, "version": self.version, "answer": keep(answer)}) + "\n"
        whole = (f"\n{line}" if self._torn else line).encode()
        self._known[key] = answer
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with self.file.open("ab", buffering=0) as handle:
                self._torn = True
                if handle.write(whole) < len(whole):  # a full disk takes a part of it first
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(handle.fileno())
            self._torn = False
        except OSError as error:
            raise unwritable(self.file, error) from None

    def share(self, place: Path) -> None:
        """Nobody else asks for files."""

    def fetch(self, file: Path) -> bool:
        return False

    def drop(self, place: Path) -> None:
        """There are no others than those in their places."""

    def refresh(self) -> None:
        """Nobody else writes to the file."""

    def release(self) -> None:
        """Nobody else asks for anything."""

    def close(self) -> None:
        """Nothing is held open."""

    def _read(self) -> tuple[dict[str, Answer], bool]:
        """Every whole line, but none that tells of a failure; and whether a kill cut the last one short."""
        known: dict[str, Answer] = {}
        text = self.file.read_text(encoding="utf-8", errors="replace") if self.file.exists() else ""
        for line in text.splitlines():
            try:
                plain = json.loads(line)
                if plain["version"] == self.version and "refused" not in plain["answer"]:
                    known[str(plain["key"])] = dict(recall(plain["answer"]))
            except (ValueError, TypeError, KeyError, RecursionError):
                continue
        return known, bool(text) and not text.endswith("\n")
