"""One file for tensors and plain data: safetensors whose header carries JSON and a SHA-256 over every byte.

No pickle and no compression: what a file may cost to open is known from its size. The hash is computed with its own
64 characters set to zero, so a flipped bit anywhere, or a missing tail, is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

import aurify
from aurify.core.errors import AurifyError
from aurify.core.files import write_bytes

FORMAT = 1
ZEROS = b"0" * 64
MARK = b'\\"sha256\\":\\"'
HEADER_LIMIT_BYTES = 64 * 2**20


class DamagedError(AurifyError):
    """The file's bytes are not the ones that were written."""


def save(path: Path, kind: str, document: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write ``document`` (plain data) and ``tensors`` to one file, atomically and durably."""
    from safetensors.torch import save as to_bytes

    head = {"sha256": ZEROS.decode(), "format": FORMAT, "kind": kind, "version": aurify.__version__}
    text = json.dumps({**head, "document": document}, separators=(",", ":"), ensure_ascii=True)
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    data = bytearray(to_bytes(plain, metadata={"aurify": text}))
    at = data.index(MARK) + len(MARK)
    data[at : at + 64] = hashlib.sha256(data).hexdigest().encode()
    write_bytes(path, bytes(data))


def load(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read what ``save`` wrote.

    Raises AurifyError for a missing, foreign, newer or oversized file and DamagedError when bytes were changed.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        with path.open("rb") as file:
            head = _read_head(file, path)
            _verify(file, path, head["sha256"].encode())
        _require_known_format(head, path)
        if head["kind"] != kind:
            raise AurifyError(f"{path} holds a {head['kind']}, not a {kind}")
        return head["document"], load_file(path)
    except FileNotFoundError:
        raise AurifyError(f"no file at {path}") from None
    except OSError as error:
        raise AurifyError(f"{path} cannot be read: {error.strerror or error}") from None
    except SafetensorError as error:
        raise DamagedError(f"{path} is damaged ({error}); make it again or take a copy") from None


def _read_head(file: BinaryIO, path: Path) -> dict[str, Any]:
    size = os.fstat(file.fileno()).st_size
    length = int.from_bytes(file.read(8), "little")
    foreign = f"{path} is not an aurify file"
    if size > _memory_bytes() // 2:
        raise AurifyError(f"{path} has {size:,} bytes, more than half of this machine's memory; refused")
    if size < 8 or length > HEADER_LIMIT_BYTES or length < 2:
        raise DamagedError(foreign)
    if size < 8 + length:
        raise DamagedError(f"{path} is cut short: {size:,} bytes of at least {8 + length:,}; take a whole copy")
    try:
        header = json.loads(file.read(length))
        head = json.loads(header["__metadata__"]["aurify"])
        sound = all(isinstance(head[k], str) for k in ("sha256", "kind", "version")) and "document" in head
    except (ValueError, KeyError, TypeError, RecursionError):
        raise DamagedError(f"{foreign}, or its header is damaged") from None
    if not sound:
        raise DamagedError(f"{foreign}, or its header is damaged")
    return head


def _require_known_format(head: dict[str, Any], path: Path) -> None:
    """Asked after the checksum, so that a flipped bit is not taken for a newer format."""
    number, version = head.get("format"), head["version"]
    if isinstance(number, int) and number > FORMAT:
        raise AurifyError(
            f"{path} is of format {number}, written by aurify {version}; this is aurify {aurify.__version__}, which"
            f" reads up to format {FORMAT}: update aurify"
        )
    if number != FORMAT:
        raise DamagedError(f"{path} is of no known format ({number!r})")


def _verify(file: BinaryIO, path: Path, written: bytes) -> None:
    file.seek(0)
    digest = hashlib.sha256()
    first = file.read(8 + HEADER_LIMIT_BYTES)
    at = first.find(MARK) + len(MARK)
    if len(written) != 64 or first[at : at + 64] != written:
        raise DamagedError(f"{path} is damaged: its checksum is not where it belongs")
    digest.update(first[:at] + ZEROS + first[at + 64 :])
    while chunk := file.read(2**22):
        digest.update(chunk)
    if digest.hexdigest().encode() != written:
        raise DamagedError(f"{path} is damaged: its SHA-256 does not match its bytes; take a whole copy")


def _memory_bytes() -> int:
    if not hasattr(os, "sysconf"):
        return 2**35
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def pack(tree: Any) -> tuple[Any, dict[str, Tensor]]:
    """Part a tree of dicts, lists, tuples, numbers, texts and tensors into plain data and named tensors."""
    tensors: dict[str, Tensor] = {}

    def walk(value: Any) -> Any:
        match value:
            case Tensor():
                tensors[str(len(tensors))] = value
                return {"tensor": str(len(tensors) - 1)}
            case dict():
                return {"items": [[walk(k), walk(v)] for k, v in value.items()]}
            case list():
                return [walk(v) for v in value]
            case tuple():
                return {"tuple": [walk(v) for v in value]}
            case None | bool() | int() | float() | str():
                return value
        raise TypeError(f"a checkpoint cannot hold a {type(value).__name__}")

    return walk(tree), tensors


def unpack(plain: Any, tensors: Mapping[str, Tensor]) -> Any:
    """The tree that ``pack`` took apart; shared tensors come back as copies."""
    match plain:
        case {"tensor": name}:
            return torch.clone(tensors[name])
        case {"items": pairs}:
            return {unpack(k, tensors): unpack(v, tensors) for k, v in pairs}
        case {"tuple": values}:
            return tuple(unpack(v, tensors) for v in values)
        case list():
            return [unpack(v, tensors) for v in plain]
    return plain
