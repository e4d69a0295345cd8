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
from typing import Any

import torch
from torch import Tensor

import aurify
from aurify.core.errors import AurifyError
from aurify.core.files import write_bytes

FORMAT = 2
ZEROS = b"0" * 64
MARK = b'\\"sha256\\":\\"'
DOCUMENT = "document.json"
HEADER_LIMIT_BYTES = 4 * 2**20
DOCUMENT_LIMIT_BYTES = 16 * 2**20
"""JSON of this size is a hundred times any schema, and the most that may cost memory beyond the file's own size."""


class DamagedError(AurifyError):
    """The file's bytes are not the ones that were written."""


def save(path: Path, kind: str, document: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write ``document`` (plain data) and ``tensors`` to one file, atomically and durably."""
    write_bytes(path, to_bytes(kind, document, tensors))


def to_bytes(kind: str, document: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> bytes:
    """The bytes of the file that ``save`` writes."""
    from safetensors.torch import save as packed

    head = {"sha256": ZEROS.decode(), "format": FORMAT, "kind": kind, "version": aurify.__version__}
    text = json.dumps(document, separators=(",", ":")).encode()
    assert len(text) <= DOCUMENT_LIMIT_BYTES, "a document this large could not be read again"
    plain: dict[str, Tensor] = {}
    held: set[int] = set()
    for name, tensor in tensors.items():
        plain[name] = tensor.detach().cpu().contiguous()
        place = plain[name].untyped_storage().data_ptr()
        if place in held:  # weights with two names (tied layers): the format wants memory of its own for each
            plain[name] = plain[name].clone()
        held.add(place)
    plain[DOCUMENT] = torch.frombuffer(bytearray(text), dtype=torch.uint8)
    data = bytearray(packed(plain, metadata={"aurify": json.dumps(head, separators=(",", ":"))}))
    at = data.index(MARK) + len(MARK)
    data[at : at + 64] = hashlib.sha256(data).hexdigest().encode()
    return bytes(data)


def load(path: Path, kind: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read what ``save`` wrote, once: what was verified is what is used.

    Raises AurifyError for a missing, foreign, newer or oversized file and DamagedError when bytes were changed.
    """
    try:
        if not path.is_file():
            path.stat()  # absent is said otherwise
            raise AurifyError(f"{path} is not a file")
        size = path.stat().st_size
        if size > _memory_bytes() // 2:
            raise AurifyError(f"{path} has {size:,} bytes, more than half of this machine's memory; refused")
        return from_bytes(path.read_bytes(), kind, str(path))
    except FileNotFoundError:
        raise AurifyError(f"no file at {path}") from None
    except OSError as error:
        raise AurifyError(f"{path} cannot be read: {error.strerror or error}") from None
    except MemoryError as error:
        raise _damaged(str(path), error) from None


def from_bytes(data: bytes, kind: str, name: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Read what ``to_bytes`` made; errors say ``name`` and are those of ``load``."""
    from safetensors import SafetensorError
    from safetensors.torch import load as unpacked

    try:
        head = _read_head(data, name)
        _verify(data, head["sha256"].encode(), name)
        _require_known_format(head, name)
        if head["kind"] != kind:
            raise AurifyError(f"{name} holds a {head['kind']}, not a {kind}")
        tensors = unpacked(data)
        text = tensors.pop(DOCUMENT).numpy().tobytes()
        if len(text) > DOCUMENT_LIMIT_BYTES:
            raise ValueError(f"its document has {len(text):,} bytes, at most {DOCUMENT_LIMIT_BYTES:,} are read")
        return json.loads(text), tensors
    except (SafetensorError, ValueError, KeyError, RecursionError, MemoryError) as error:
        raise _damaged(name, error) from None


def _damaged(name: str, error: Exception) -> DamagedError:
    return DamagedError(f"{name} is damaged ({error}); make it again or take a copy")


def _read_head(data: bytes, name: str) -> dict[str, Any]:
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 or length > HEADER_LIMIT_BYTES or length < 2:
        raise DamagedError(f"{name} is not an aurify file")
    if len(data) < 8 + length:
        raise DamagedError(f"{name} is cut short: {len(data):,} bytes of at least {8 + length:,}; take a whole copy")
    try:
        head = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["aurify"])
        sound = all(isinstance(head[k], str) for k in ("sha256", "kind", "version"))
    except (ValueError, KeyError, TypeError, RecursionError, MemoryError):
        sound, head = False, {}
    if not sound:
        raise DamagedError(f"{name} is not an aurify file, or its header is damaged")
    return head


def _verify(data: bytes, written: bytes, name: str) -> None:
    at = data.find(MARK) + len(MARK)
    if len(written) != 64 or data[at : at + 64] != written:
        raise DamagedError(f"{name} is damaged: its checksum is not where it belongs")
    digest = hashlib.sha256(data[:at])
    digest.update(ZEROS)
    digest.update(memoryview(data)[at + 64 :])
    if digest.hexdigest().encode() != written:
        raise DamagedError(f"{name} is damaged: its SHA-256 does not match its bytes; take a whole copy")


def _require_known_format(head: dict[str, Any], name: str) -> None:
    """Asked after the checksum, so that a flipped bit is not taken for a newer format."""
    number, version = head.get("format"), head["version"]
    if isinstance(number, int) and number > FORMAT:
        raise AurifyError(
            f"{name} is of format {number}, written by aurify {version}; this is aurify {aurify.__version__}, which"
            f" reads format {FORMAT}: update aurify"
        )
    if isinstance(number, int) and 0 < number < FORMAT:
        raise AurifyError(
            f"{name} is of format {number}, written by aurify {version}; this is aurify {aurify.__version__}, which"
            f" reads format {FORMAT}: use it with aurify {version}, or fit again"
        )
    if number != FORMAT:
        raise DamagedError(f"{name} is of no known format ({number!r})")


def _memory_bytes() -> int:
    if not hasattr(os, "sysconf"):
        return 2**35
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def channels_last(tensor: Tensor) -> bool:
    """Whether an image-like tensor lies channels last, as convolutions are fastest; a file has no word for it."""
    return tensor.ndim == 4 and tensor.is_contiguous(memory_format=torch.channels_last) and not tensor.is_contiguous()


def pack(tree: Any) -> tuple[Any, dict[str, Tensor]]:
    """Part a tree of dicts, lists, tuples, numbers, texts and tensors into plain data and named tensors."""
    tensors: dict[str, Tensor] = {}

    def walk(value: Any) -> Any:
        match value:
            case Tensor():
                tensors[str(len(tensors))] = value
                place = {"tensor": str(len(tensors) - 1)}
                return {**place, "last": True} if channels_last(value) else place
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
        case {"tensor": name, "last": True}:
            return torch.clone(tensors[name], memory_format=torch.channels_last)
        case {"tensor": name}:
            return torch.clone(tensors[name])
        case {"items": pairs}:
            return {unpack(k, tensors): unpack(v, tensors) for k, v in pairs}
        case {"tuple": values}:
            return tuple(unpack(v, tensors) for v in values)
        case list():
            return [unpack(v, tensors) for v in plain]
    return plain
