"""What is inside a file: plain, gzip or zip with one table, opened as often as needed and limited while it unpacks."""

from __future__ import annotations

import gzip
import lzma
import zipfile
import zlib
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO

from aurify.core.errors import AurifyError, listing
from aurify.data.image_cells import SUFFIXES as IMAGES

TABLES = (".csv", ".tsv", ".tab", ".parquet", ".feather", ".arrow", ".ipc", ".jsonl", ".ndjson")
TEXTS = (".txt", ".dat", ".data", ".test", ".all", "")
GZIP, ZIP = b"\x1f\x8b", (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
FOREIGN = {
    b"BZh9": "compressed with bzip2; unpack it or use gzip",
    b"\xfd7zXZ\0": "compressed with xz; unpack it or use gzip",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; unpack it or use gzip",
    b"7z\xbc\xaf": "a 7z archive; unpack it or use zip",
    b"Rar!\x1a": "a RAR archive; unpack it or use zip",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook; save its sheet as CSV",
    b"SQLite format 3": "a database; export the table as CSV or Parquet",
    b"%PDF-": "a PDF document, not a table",
    b"FEA1\0\0\0\0": "of Feather version 1; write it anew as Feather version 2 or Parquet",
}
FLOOR_BYTES, EXPANSION = 2**28, 200
"""Unpacking may give this many bytes, or this many times what is packed: deflate could give a thousand times."""


@dataclass(frozen=True)
class Content:
    """The bytes of one table, wherever they lie; ``name`` is what errors call it.

    A zip archive without a ``member`` holds texts in folders or images, and no single table.
    """

    path: Path
    packed: str
    member: str = ""

    @property
    def name(self) -> str:
        return f"{self.path} ({self.member})" if self.member else str(self.path)

    @property
    def suffix(self) -> str:
        inner = PurePosixPath(self.member or self.path.name)
        return PurePosixPath(inner.stem if self.packed == "gzip" else inner).suffix.lower()

    def open(self) -> Stream:
        """Open it from its beginning. Raises AurifyError, also while it is read."""
        return Stream(self)

    def head(self, size: int) -> bytes:
        with self.open() as stream:
            return stream.read(size)

    def whole(self) -> bytes:
        with self.open() as stream:
            return stream.read(-1)


class Stream:
    """Reads unpacked bytes; a bomb, a torn archive or a disk that fails ends in an AurifyError."""

    def __init__(self, content: Content):
        self._content = content
        self._stack = ExitStack()
        self._read_bytes = 0
        self._limit = max(FLOOR_BYTES, EXPANSION * content.path.stat().st_size) if content.packed else None
        try:
            self._file = self._opened()
        except Exception as error:
            self._stack.close()
            raise self._explained(error) from None

    def _opened(self) -> IO[bytes] | gzip.GzipFile:
        content = self._content
        if content.packed == "gzip":
            return self._stack.enter_context(gzip.open(content.path))
        if content.packed == "zip":
            archive = self._stack.enter_context(zipfile.ZipFile(content.path))
            return self._stack.enter_context(archive.open(content.member))
        return self._stack.enter_context(content.path.open("rb", buffering=0))

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes, fewer only at the end; all of them with -1."""
        pieces: list[bytes] = []
        while size < 0 or sum(map(len, pieces)) < size:
            wanted = 2**24 if size < 0 else size - sum(map(len, pieces))
            try:
                piece = self._file.read(wanted)
            except Exception as error:
                raise self._explained(error) from None
            if not piece:
                break
            pieces.append(piece)
            self._read_bytes += len(piece)
            if self._limit is not None and self._read_bytes > self._limit:
                raise AurifyError(
                    f"{self._content.name} unpacks to more than {self._limit:,} bytes, which no honest table does;"
                    " unpack it yourself if it is one"
                )
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def read_lines(self, size: int) -> bytes:
        """As ``read``, but to the end of a line where looking ahead is free: lines need no putting together."""
        if not self._content.packed and self._file.seekable():
            look = min(2**16, size)
            self._file.seek(self._read_bytes + size - look)
            last = self._file.read(look).rfind(b"\n")
            size -= look - 1 - last if last >= 0 else 0  # less, never more: memory of one size is used again
            self._file.seek(self._read_bytes)
        return self.read(size)

    def _explained(self, error: Exception) -> Exception:
        name = self._content.name
        match error:
            case PermissionError():
                return AurifyError(f"{name} cannot be read: {error.strerror}")
            case EOFError():
                return AurifyError(f"{name} is cut off: the archive ends too early; fetch it again")
            case gzip.BadGzipFile() | zipfile.BadZipFile() | zlib.error() | lzma.LZMAError() | KeyError():
                return AurifyError(f"{name} is damaged: {str(error).strip() or type(error).__name__}; fetch it again")
            case NotImplementedError() | RuntimeError():
                return AurifyError(f"{name} cannot be unpacked: {error}; pack it anew with plain zip or gzip")
            case OSError():
                return AurifyError(f"{name} cannot be read: {error.strerror or error}")
        return error

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def content_of(path: Path) -> Content:
    """Say what a file holds by its first bytes, not by its name.

    Raises AurifyError for what holds no single table: another archive in the archive, several tables, a workbook.
    """
    content = Content(path, "")
    head = content.head(16)
    if head.startswith(GZIP):
        content = Content(path, "gzip")
    elif head.startswith(ZIP):
        content = Content(path, "zip", _member(path))
        if not content.member:
            return content
    if content.packed:
        head = content.head(16)
        if head.startswith((GZIP, *ZIP)):
            raise AurifyError(f"{content.name} holds another archive; unpack the outer one")
    for magic, what in FOREIGN.items():
        if head.startswith(magic):
            raise AurifyError(f"{content.name} is {what}")
    return content


def _member(path: Path) -> str:
    """The one table in a zip archive; "" where it holds texts in folders, or images."""
    try:
        with zipfile.ZipFile(path) as archive:
            every = [entry for entry in archive.infolist() if not entry.is_dir()]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise AurifyError(f"{path} is damaged: {error}; fetch it again") from None
    names = [entry.filename for entry in every]
    if "[Content_Types].xml" in names:
        raise AurifyError(f"{path} is an Excel workbook or a document; save its sheet as CSV")
    chosen = tables_among(names)
    if (len(chosen) != 1 and folders_of_texts(names)) or holds_images(names):
        return ""
    if not chosen:
        found = f"only {listing(names)}" if names else "nothing"
        raise AurifyError(f"{path} holds no table: {found}")
    if len(chosen) > 1:
        raise AurifyError(f"{path} holds {len(chosen)} tables: {listing(chosen)}; unpack it and give one of them")
    if next(entry for entry in every if entry.filename == chosen[0]).flag_bits & 1:
        raise AurifyError(f"{path} is encrypted; unpack it with its password and give what is inside")
    return chosen[0]


def folders_of_texts(names: list[str]) -> bool:
    """Whether the names in an archive are those of texts in folders."""
    texts = [PurePosixPath(n) for n in tables_among(names)]
    return len({t.parent for t in texts if len(t.parts) > 1 and t.suffix.lower() not in TABLES}) > 1


def holds_images(names: list[str]) -> bool:
    """Whether the names in an archive are those of images, and of no table."""
    suffixes = {PurePosixPath(name).suffix.lower() for name in names}
    return not suffixes.isdisjoint(IMAGES) and suffixes.isdisjoint(TABLES)


def tables_among(names: list[str]) -> list[str]:
    """The names that are tables, without what comes along: hidden files, a Mac's shadow files, a README."""
    kept = [n for n in names if not any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(n).parts)]
    inner = {n: PurePosixPath(n.lower().removesuffix(".gz").removesuffix(".zip")) for n in kept}
    tables = [n for n in kept if inner[n].suffix in TABLES]
    beside = ("readme", "license", "licence", "notice", "changelog", "meta", "about", "copying")
    return tables or [n for n in kept if inner[n].suffix in TEXTS and not inner[n].name.startswith(beside)]
