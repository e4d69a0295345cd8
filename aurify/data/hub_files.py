"""Where the files of a model of transformers are, in a folder or on the hub, and which of them may be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from aurify.blocks.foreign import library
from aurify.core.errors import AurifyError

JSON_LIMIT_BYTES = 64 * 2**20
WANTED = (
    *("config.json", "preprocessor_config.json", "processor_config.json", "*.safetensors"),
    *("*.safetensors.index.json", "modules.json", "*/config.json"),
    *("tokenizer*", "vocab*", "merges.txt", "special_tokens_map.json", "added_tokens.json", "*.model", "*.txt"),
)
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.h5", "*.msgpack")


def local_files(name: str) -> tuple[str, ...]:
    """What of a local folder is read of an encoder; nothing of a model of the hub."""
    folder = Path(name).expanduser()
    kinds = ("*.json", "*.safetensors", "*.txt", "*.model", "*/config.json")
    return tuple(sorted(str(p) for kind in kinds for p in folder.glob(kind))) if name and folder.is_dir() else ()


def folder_of(name: str) -> Path:
    """The folder that a name stands for, fetched from the hub where it is none here; raises AurifyError for neither."""
    path = Path(name).expanduser()
    if path.is_dir():
        return path.resolve()
    if path.exists():
        raise AurifyError(f"{name} is a file; name the folder that holds the model's config.json and weights")
    if name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name:
        raise AurifyError(
            f"there is no folder {name}; name one that is there, or a model of the hub such as OWNER/NAME"
        )
    return _fetched(name)


def _fetched(name: str) -> Path:
    """The folder in the hub's cache, fetched where it is not there yet."""
    library()
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError, RepositoryNotFoundError

    try:
        return Path(snapshot_download(name, allow_patterns=list(WANTED)))
    except HFValidationError:
        raise AurifyError(f"{name!r} is neither a folder that is there nor a name the hub could have") from None
    except RepositoryNotFoundError:
        raise AurifyError(
            f"{name!r} is neither a folder that is there nor a model of the hub that may be read"
        ) from None
    except LocalEntryNotFoundError:
        raise AurifyError(
            f"{name!r} is no folder here, and the hub cannot be reached: go online, or name a folder that"
            " holds the model"
        ) from None
    except Exception as error:  # the hub's client has errors of many kinds, none of them ours
        raise AurifyError(f"{name!r} could not be fetched from the hub: {reason_of(error)}") from None


def weight_files(folder: Path, name: str) -> list[Path]:
    """The safetensors files that hold an encoder's weights; raises AurifyError where there are none."""
    index = folder / "model.safetensors.index.json"
    if (folder / "model.safetensors").is_file():
        return [folder / "model.safetensors"]
    if index.is_file():
        shards = read_json(index).get("weight_map", {})
        names = sorted({str(v) for v in shards.values()}) if isinstance(shards, dict) else []
        if not names or any(Path(n).name != n for n in names):
            raise AurifyError(f"{name}: {index.name} does not name files beside it; refused")
        absent = [n for n in names if not (folder / n).is_file()]
        if absent:
            raise AurifyError(f"{name}: {absent[0]}, which {index.name} names, is not there")
        return [folder / n for n in names]
    pickles = sorted(p.name for pattern in PICKLES for p in folder.glob(pattern))
    if pickles:
        raise AurifyError(
            f"{name} has its weights in {pickles[0]}, a format that may run code; only safetensors is read. If you"
            ' trust it, convert it: python -c "from transformers import AutoModel;'
            f" AutoModel.from_pretrained('{name}').save_pretrained('{name}')\""
        )
    raise AurifyError(f"{name} holds no weights: model.safetensors is missing")


def read_json(path: Path, kind: type[Any] = dict) -> Any:
    """What a JSON file holds, an object or another ``kind``; raises AurifyError where it cannot be read."""
    try:
        if path.stat().st_size > JSON_LIMIT_BYTES:
            raise AurifyError(f"{path} has {path.stat().st_size:,} bytes; at most {JSON_LIMIT_BYTES:,} are read")
        plain = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise AurifyError(f"{path} cannot be read: {reason_of(error)}") from None
    if not isinstance(plain, kind):
        raise AurifyError(f"{path} holds a {type(plain).__name__}, needed is a {kind.__name__}")
    return plain


def reason_of(error: BaseException) -> str:
    """An error of somebody else's code in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
