"""Write files so that a kill at any moment leaves the old one or the new one, never half of one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from aurify.core.errors import AurifyError
from aurify.core.words import recall

T = TypeVar("T")


def write_bytes(path: Path, data: bytes | bytearray) -> None:
    """Replace ``path`` by ``data`` atomically and durably."""
    write_with(path, lambda file: file.write(data))


def write_with(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Let ``fill`` write a temporary file beside ``path``, then put it in place."""
    temporary = path.parent / f".{path.name}.{os.getpid()}.tmp"
    try:
        if not path.name or (path.exists() and not path.is_file()):
            raise AurifyError(f"{path} is not a file and cannot be replaced by one; choose another name")
        try:
            with temporary.open("wb") as file:
                fill(file)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise unwritable(path, error) from None


def unwritable(path: Path, error: OSError) -> AurifyError:
    """Say in one line what stands in the way of writing."""
    return AurifyError(f"{path} cannot be written ({error.strerror or error}); what was saved before is kept")


def write_json(path: Path, value: Any) -> None:
    """Write readable JSON atomically; NaN and infinities are our mistake."""
    write_bytes(path, (json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode())


def read_json(path: Path) -> Any:
    """Read what ``write_json`` wrote; raises AurifyError when it is damaged."""
    return _read(path, lambda plain: plain)


def read_record(path: Path) -> dict[str, Any]:
    """Read named values whose texts ``keep`` made plain; raises AurifyError when it is damaged."""
    return _read(path, lambda plain: dict(recall(plain)))


def read_listed(path: Path, made: Callable[[Any], T]) -> list[T]:
    """Read a list, each thing ``made`` of plain data; raises AurifyError when it is damaged."""
    return _read(path, lambda plain: list(map(made, plain)))


def _read(path: Path, made: Callable[[Any], Any]) -> Any:
    try:
        return made(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, LookupError, TypeError, ValueError, RecursionError) as error:
        raise AurifyError(f"{path} is damaged ({error}); start again with --force") from None


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut."""
    if os.name == "nt":  # folders cannot be opened for fsync there
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
