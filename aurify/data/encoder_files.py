"""Files of a pretrained encoder, in a folder or on the hub: read without pickle, and without code of theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from aurify.blocks.encoder import FAMILIES, POOLINGS, Description
from aurify.blocks.foreign import LIMITS, bare_model, config_of, library, safe_config
from aurify.core.errors import AurifyError, listing
from aurify.data.hub_files import folder_of, read_json, reason_of, weight_files

VOCABULARIES = (*("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "spm.model", "sentencepiece.bpe.model"),)


@dataclass(frozen=True)
class EncoderFiles:
    """Where an encoder's files are, and what they say of it: plain config, pooling ("" unsaid), unit length."""

    name: str
    folder: Path
    config: dict[str, Any]
    pooling: str
    normalise: bool

    def tokenizer(self) -> Any:
        """Its tokenizer, of the package transformers; raises AurifyError where there is none without code."""
        transformers = library()
        if not any((self.folder / file).is_file() for file in VOCABULARIES):
            raise AurifyError(f"{self.name} holds no tokenizer: none of {', '.join(VOCABULARIES)} is there")
        for file in ("tokenizer_config.json", "config.json"):
            if (self.folder / file).exists() and read_json(self.folder / file).get("auto_map"):
                raise AurifyError(f"{self.name}: its {file} asks for code of its own (auto_map); refused")
        try:
            found = transformers.AutoTokenizer.from_pretrained(
                str(self.folder),
                config=config_of(self.config),  # else it would read the folder's own, whatever that asks for
                local_files_only=True,
                trust_remote_code=False,
            )
        except Exception as error:
            raise AurifyError(f"{self.name} holds no tokenizer that can be read: {reason_of(error)}") from None
        cutter = getattr(found, "backend_tokenizer", None)
        if cutter is None:
            raise AurifyError(f"{self.name}: its tokenizer is of a kind that cannot be saved ({type(found).__name__})")
        # an id of billions would take that many words of memory as soon as the tokenizer is written out
        most, known = max(cutter.get_vocab().values(), default=0), self.config.get("vocab_size", LIMITS["vocab_size"])
        if most >= known:
            raise AurifyError(f"{self.name}: its tokenizer has the id {most:,}, its config.json says {known:,} tokens")
        return found

    def weights(self, pooler: bool) -> dict[str, Tensor]:
        """Its weights (float32) under the names that a bare model of its configuration has.

        Raises AurifyError where some are missing or of another shape; those of heads are left out.
        """
        with torch.device("meta"):
            model = bare_model(self.config, pooler)
        needed = {name: tuple(value.shape) for name, value in model.named_parameters()}
        found = dict(self._stored(str(model.base_model_prefix), needed))
        missing = sorted(needed.keys() - found.keys())
        if missing:
            raise AurifyError(f"{self.name}: its weights lack {listing(missing, 3)}, which its config.json asks for")
        return found

    def _stored(self, prefix: str, needed: Mapping[str, tuple[int, ...]]) -> Iterator[tuple[str, Tensor]]:
        from safetensors import SafetensorError, safe_open

        for file in weight_files(self.folder, self.name):
            try:
                with safe_open(file, "pt") as stored:
                    for key in stored.keys():  # noqa: SIM118 - it is no mapping
                        name = _today(key, prefix)
                        if name not in needed:
                            continue
                        shape = tuple(stored.get_slice(key).get_shape())
                        if shape != needed[name]:
                            raise AurifyError(
                                f"{self.name}: {key} is {shape} in its weights and {needed[name]} in its config.json"
                            )
                        yield name, stored.get_tensor(key).float()
            except (SafetensorError, OSError) as error:
                raise AurifyError(f"{self.name}: {file.name} cannot be read: {reason_of(error)}") from None


def find(name: str) -> EncoderFiles:
    """The files of a local folder, or of a model of the hub by its name; raises AurifyError for what is not one."""
    folder = folder_of(name)
    inner, pooling, normalise = _sentence_layout(folder, name)
    if not (inner / "config.json").is_file():
        raise AurifyError(f"{name} holds no config.json: it is not a model of transformers")
    weight_files(inner, name)
    config = safe_config(read_json(inner / "config.json"), name, FAMILIES)
    return EncoderFiles(name, inner, config, pooling, normalise)


def _sentence_layout(folder: Path, name: str) -> tuple[Path, str, bool]:
    """Of a folder of sentence-transformers: the encoder's own folder, its pooling, whether vectors have length 1."""
    if not (folder / "modules.json").is_file():
        return folder, "", False
    inner, pooling, normalise = folder, "", False
    modules = read_json(folder / "modules.json", list)
    for module in modules:
        kind, path = (str(module.get(k, "")) if isinstance(module, dict) else "" for k in ("type", "path"))
        place = (folder / path).resolve()
        if not place.is_relative_to(folder.resolve()):
            raise AurifyError(f"{name}: its modules.json points outside the folder ({path}); refused")
        match kind.rpartition(".")[2]:
            case "Transformer":
                inner = place
            case "Pooling":
                pooling = _pooling(read_json(place / "config.json"), name)
            case "Normalize":
                normalise = True
            case other:
                raise AurifyError(f"{name}: its modules.json has a step {other!r}, which is not known here")
    return inner, pooling, normalise


def _pooling(plain: Mapping[str, Any], name: str) -> str:
    ways = {"pooling_mode_cls_token": "cls", "pooling_mode_mean_tokens": "mean"}
    chosen = [key for key, value in plain.items() if key.startswith("pooling_mode_") and value is True]
    mode = plain.get("pooling_mode")
    if not chosen and mode in POOLINGS:
        return str(mode)
    if len(chosen) != 1 or chosen[0] not in ways:
        raise AurifyError(f"{name}: its pooling {chosen or mode!r} is not known here; set pooling=cls or pooling=mean")
    return ways[chosen[0]]


def describe(files: EncoderFiles, tokenizer: Any, pooling: str) -> Description:
    """All that a model must hold of an encoder beside its weights; ``pooling`` auto takes the folder's own, or mean."""
    try:
        framed, plain = (tokenizer("a b", add_special_tokens=framing)["input_ids"] for framing in (True, False))
    except Exception as error:
        raise AurifyError(f"{files.name}: its tokenizer cannot cut a text: {reason_of(error)}") from None
    at = next((i for i in range(len(framed) - len(plain) + 1) if framed[i : i + len(plain)] == plain), None)
    if not plain or at is None:
        raise AurifyError(f"{files.name}: its tokenizer frames texts in a way that is not known here")
    before, after = framed[:at], framed[at + len(plain) :]
    pad = tokenizer.pad_token_id
    if pad is None:
        raise AurifyError(f"{files.name}: its tokenizer has no token for padding; it is not an encoder's")
    unknown = pad if tokenizer.unk_token_id is None else tokenizer.unk_token_id
    ends = (tokenizer.sep_token_id, tokenizer.eos_token_id, unknown)
    separator = next(n for n in ends if n is not None)
    mask = unknown if tokenizer.mask_token_id is None else tokenizer.mask_token_id
    chosen = (files.pooling or "mean") if pooling == "auto" else pooling
    special = (pad, unknown, separator, mask)
    size = 1 + max(tokenizer.backend_tokenizer.get_vocab().values())
    return Description(
        files.config,
        special,
        tuple(before),
        tuple(after),
        size,
        chosen,
        pooling == "auto" and files.normalise,
    )


def _today(key: str, prefix: str) -> str:
    """A weight's name in today's models: without the prefix that models with a head have, norms no longer in Greek."""
    key = key.removeprefix(f"{prefix}.")
    for old, new in ((".gamma", ".weight"), (".beta", ".bias")):
        key = key.removesuffix(old) + new if key.endswith(f"LayerNorm{old}") else key
    return key
