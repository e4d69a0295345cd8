"""Models of the package transformers as modules of ours, made of configurations that run no code."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from inspect import signature
from typing import Any

import torch
from torch import nn

from aurify.blocks.batch_norm import BatchNorm, ImageBatchNorm
from aurify.blocks.chain import Chain
from aurify.blocks.dropout import Dropout
from aurify.core.errors import AurifyError

LIMITS = {
    "num_hidden_layers": 256,
    "hidden_size": 65_536,
    "intermediate_size": 1_048_576,
    "num_attention_heads": 1_024,
    "vocab_size": 4_194_304,
    "max_position_embeddings": 1_048_576,
    "type_vocab_size": 1_024,
    "embedding_size": 65_536,
    "image_size": 4_096,
    "patch_size": 1_024,
    "num_register_tokens": 1_024,
    "depths": 256,
    "num_stages": 256,
}
"""The most that a configuration may ask for: beyond it even a model without memory takes minutes to write down."""

WIDEST = 65_536
"""What each number of a list may be where no limit of its own is above."""

REFUSED = ("auto_map", "quantization_config", "custom_pipelines")
DROPPED = ("dtype", "torch_dtype", "architectures", "transformers_version", "attn_implementation", "use_kernels")
STEERING = ("return_dict", "output_hidden_states", "output_attentions", "chunk_size_feed_forward", "use_cache")
HEADS = ("id2label", "label2id", "problem_type", "num_labels", "pruned_heads")
SILENCED = ("attention_probs_dropout_prob", "attention_dropout", "attn_pdrop", "drop_path_rate")


class Foreign(Chain):
    """A ``model`` of transformers within a network of ours: one whose weights were learnt elsewhere."""

    model: nn.Module
    width: int


def foreign_in(model: nn.Module) -> Foreign | None:
    """The first one in a network."""
    return next((module for module in model.modules() if isinstance(module, Foreign)), None)


def safe_config(plain: Any, place: str, families: Collection[str]) -> dict[str, Any]:
    """The entries of a config.json that a model of one of some ``families`` is built from.

    Raises AurifyError for another family, and for what runs code or is absurd.
    """
    if not isinstance(plain, Mapping) or not isinstance(plain.get("model_type"), str):
        raise AurifyError(f"{place}: its config.json names no model_type, so it is no encoder of transformers")
    if plain["model_type"] not in families:
        raise AurifyError(
            f"{place}: model_type {plain['model_type']!r} is not among the encoders used here: {', '.join(families)}"
        )
    refused = [name for name in REFUSED if plain.get(name)]
    if refused:
        raise AurifyError(
            f"{place}: its config.json has {refused[0]!r}, which asks for code or formats of its own; refused"
        )
    known = config_of({"model_type": plain["model_type"]}).to_dict()
    names = type(config_of({"model_type": plain["model_type"]})).attribute_map
    allowed = {*known, *names} - {*DROPPED, *HEADS, *REFUSED, *STEERING}
    kept = {k: v for k, v in plain.items() if k in allowed and not k.startswith("_") and _is_plain(v)}
    kept["model_type"] = plain["model_type"]
    _require_sane(kept, names, place)
    config_of(kept)
    return kept


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return len(value) <= LIMITS["num_hidden_layers"] and all(map(_is_plain, value))
    if isinstance(value, Mapping):
        return len(value) <= LIMITS["num_hidden_layers"] and all(map(_is_plain, value.values()))
    return value is None or isinstance(value, (bool, int, float, str))


def _require_sane(config: Mapping[str, Any], names: Mapping[str, str], place: str) -> None:
    """Refuse numbers no model has, before anything is built of them."""
    for name, most in LIMITS.items():
        for key in (name, *(k for k, v in names.items() if v == name), *([names[name]] if name in names else [])):
            value = config.get(key)
            if isinstance(value, (list, tuple)) and name in (
                "depths",
                "num_attention_heads",
                "hidden_size",
                "image_size",
                "patch_size",
            ):
                continue  # one a stage, or one a side: looked at below
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most):
                raise AurifyError(f"{place}: {key} = {value!r} in its config.json; allowed: a whole number to {most:,}")
    for key, value in config.items():
        several = value if isinstance(value, (list, tuple)) else ()
        most = LIMITS.get(key, WIDEST)
        bad = [v for v in several if isinstance(v, (int, float)) and not abs(v) <= most]
        if isinstance(value, (int, float)) and not abs(value) <= max(LIMITS.values()):
            bad = [value]
        if bad:
            raise AurifyError(f"{place}: {key} = {bad[0]!r} in its config.json is out of all proportion; refused")


def config_of(plain: Mapping[str, Any]) -> Any:
    """The configuration of transformers that plain data describes."""
    transformers = library()
    kind = transformers.CONFIG_MAPPING[plain["model_type"]]
    try:
        return kind(**{k: v for k, v in plain.items() if k != "model_type"})
    except Exception as error:  # what transformers checks of a configuration it says in errors of many kinds
        reason = " ".join(str(error).split())[:200]
        raise AurifyError(f"the encoder's config.json cannot be used: {type(error).__name__}: {reason}") from None


def library() -> Any:
    """The package transformers; raises AurifyError where it is absent."""
    try:
        import transformers
    except ImportError:
        raise AurifyError("pretrained encoders need transformers: pip install 'aurify[pretrained]'") from None
    return transformers


def bare_model(config: Mapping[str, Any], pooler: bool) -> nn.Module:
    """The module of a configuration, float32, with weights of no meaning and dropout drawn as ours is.

    Attention weights are never dropped: fused attention has no draws that could be keyed. Raises AurifyError for a
    configuration that no module can be made of.
    """
    transformers = library()
    from transformers.initialization import no_init_weights

    made = config_of(config)
    for name in SILENCED:
        if hasattr(made, name):
            setattr(made, name, 0.0)
    kind = transformers.MODEL_MAPPING[type(made)]
    poolers = {"add_pooling_layer": pooler} if "add_pooling_layer" in signature(kind.__init__).parameters else {}
    try:
        made._attn_implementation = "sdpa" if kind._supports_sdpa else "eager"
        with no_init_weights(), torch.random.fork_rng(devices=[]):  # some draw what will be read
            model = kind(made, **poolers)
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise AurifyError(f"the encoder's config.json makes no model: {type(error).__name__}: {reason}") from None
    for module in list(model.modules()):
        # a saved model is rebuilt without memory: all it needs is in its file
        module._non_persistent_buffers_set.clear()
        for name, child in module.named_children():
            if isinstance(child, nn.Dropout):
                # DeBERTa drops positions that all rows share: there is no row to key a draw by
                setattr(module, name, nn.Identity() if name == "pos_dropout" else _Dropped(child.p))
            elif type(child) in NORMS:
                child.__class__ = NORMS[type(child)]
    return model.float()


NORMS: dict[type[nn.Module], type[nn.Module]] = {nn.BatchNorm1d: BatchNorm, nn.BatchNorm2d: ImageBatchNorm}


class _Dropped(Dropout):
    """A dropout of transformers, keyed; its modules ask for ``p`` where they would drop attention weights."""

    p = 0.0

    def __init__(self, rate: float):
        super().__init__()
        self.rate = rate
