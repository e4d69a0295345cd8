"""The files below a folder or in a zip archive, in the order in which people count."""

from __future__ import annotations

import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from aurify.core.errors import AurifyError

DIGITS = re.compile(r"([0-9]+)")
DEEPEST = 4
LARGEST_BYTES = 2**26
EXPANSION = 200


class DamagedEntryError(AurifyError):
    """One file of an archive cannot be had; the others may be whole."""


@dataclass(frozen=True)
class TextFile:
    """One file below the source: where it is, part by part, and how to ``read`` it."""

    place: tuple[str, ...]  # thousands of files: a Path for each takes longer than to read it
    read: Callable[[], bytes]
    path: str = ""

    @property
    def suffix(self) -> str:
        """What its name ends with, in lower case."""
        return os.path.splitext(self.place[-1])[1].lower()  # noqa: PTH122


def ordering() -> Callable[[TextFile], tuple[Any, ...]]:
    """Names in the order in which people count: 2.txt before 10.txt."""

    def counted(part: str) -> tuple[tuple[int, str], ...]:
        cut = DIGITS.split(part)
        return tuple([(int(p), "") if at % 2 and len(p) < 19 else (-1, p) for at, p in enumerate(cut)])

    folders = cache(counted)
    return lambda file: (*map(folders, file.place[:-1]), counted(file.place[-1]))


def walked(root: Path) -> Iterator[TextFile]:
    """Every file below a folder, to a depth that no honest source exceeds."""

    def below(folder: str, parts: tuple[str, ...]) -> Iterator[TextFile]:
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    here = (*parts, entry.name)
                    if entry.is_dir():
                        if len(here) < DEEPEST and not entry.name.startswith("."):
                            yield from below(entry.path, here)
                    else:
                        yield TextFile(here, lambda path=entry.path: _bytes_of(path), entry.path)
        except OSError as error:
            raise AurifyError(f"{folder} cannot be read: {error.strerror or error}") from None

    return below(str(root), ())


def _bytes_of(path: str) -> bytes:
    """A file's bytes; raises AurifyError for what is no file, too large or out of reach."""
    try:
        about = os.stat(path)  # noqa: PTH116 (thousands of files: a Path for each takes longer than to read it)
        if not stat.S_ISREG(about.st_mode):
            raise AurifyError(f"{path} is a pipe or a device, not a text; take it out of the folder")
        if about.st_size > LARGEST_BYTES:
            raise AurifyError(f"{path} has {about.st_size:,} bytes; one text has at most {LARGEST_BYTES:,}")
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read()
    except OSError as error:
        raise AurifyError(f"{path} cannot be read: {error.strerror or error}") from None


def zipped(path: Path) -> Iterator[TextFile]:
    """Every file in a zip archive; unpacked it may not grow without measure."""
    try:
        archive = zipfile.ZipFile(path)
        entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise AurifyError(f"{path} is damaged: {error}; fetch it again") from None
    for entry in entries:
        parts = [part for part in entry.filename.split("/") if part not in ("", ".", "..")]
        if len(parts) <= DEEPEST:
            yield TextFile(tuple(parts), lambda entry=entry: _unpacked(archive, entry, path))


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> bytes:
    most = min(LARGEST_BYTES, max(2**16, EXPANSION * entry.compress_size))
    name = f"{path} ({entry.filename})"
    if entry.flag_bits & 1:
        raise AurifyError(f"{path} is encrypted; unpack it with its password and give what is inside")
    try:
        with archive.open(entry) as file:
            raw = file.read(most + 1)
    except (zipfile.BadZipFile, OSError, ValueError, EOFError, NotImplementedError, RuntimeError) as error:
        raise DamagedEntryError(f"{name} is damaged: {error}; fetch it again") from None
    except Exception as error:  # zlib and lzma have errors of their own
        raise DamagedEntryError(f"{name} is damaged: {error}; fetch it again") from None
    if len(raw) > most:
        raise DamagedEntryError(f"{name} unpacks to more than {most:,} bytes, which no honest text does; take it out")
    return raw
