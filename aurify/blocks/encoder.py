"""A pretrained text encoder as a block: what describes it, its module, and one vector of each text."""

# B rows, L tokens of the longest, F tokens with those that frame a text, D numbers of each vector

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from inspect import signature
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aurify.blocks.chain import Chain
from aurify.blocks.dropout import Dropout
from aurify.core.errors import AurifyError
from aurify.core.ragged import PAD, SEPARATOR

if TYPE_CHECKING:
    from aurify.core.types import Input

FAMILIES = (
    *("albert", "bert", "camembert", "deberta-v2", "distilbert", "electra", "ernie", "modernbert", "mpnet"),
    *("roberta", "xlm-roberta"),
)
"""Kinds of encoders that are known to answer here as they do in transformers."""

POOLINGS = ("cls", "mean", "pooler")
SPECIAL = ("pad", "unknown", "separator", "mask")
"""What the first ids of our tokens stand for, in their order."""

LIMITS = {
    "num_hidden_layers": 256,
    "hidden_size": 65_536,
    "intermediate_size": 1_048_576,
    "num_attention_heads": 1_024,
    "vocab_size": 4_194_304,
    "max_position_embeddings": 1_048_576,
    "type_vocab_size": 1_024,
    "embedding_size": 65_536,
}
"""The most that a configuration may ask for: beyond it even a model without memory takes minutes to write down."""

REFUSED = ("auto_map", "quantization_config", "custom_pipelines")
DROPPED = ("dtype", "torch_dtype", "architectures", "transformers_version", "attn_implementation", "use_kernels")
STEERING = ("return_dict", "output_hidden_states", "output_attentions", "chunk_size_feed_forward", "use_cache")
HEADS = ("id2label", "label2id", "problem_type", "num_labels", "pruned_heads")
SILENCED = ("attention_probs_dropout_prob", "attention_dropout", "attn_pdrop")


@dataclass(frozen=True)
class Description:
    """All that an encoder is rebuilt from, weights aside.

    ``config`` is the plain part of its config.json; ``special`` the ids, in its own vocabulary of ``vocabulary``
    ids, of padding, unknown, separator and mask; ``before`` and ``after`` are the ids that frame every text.
    """

    config: Mapping[str, Any]
    special: tuple[int, int, int, int]
    before: tuple[int, ...]
    after: tuple[int, ...]
    vocabulary: int
    pooling: str
    normalise: bool = False

    def to_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Description:
        """Read what ``to_json`` wrote; raises AurifyError for a configuration that is not used here."""
        plain = json.loads(text)
        ids = {name: tuple(int(n) for n in plain[name]) for name in ("special", "before", "after")}
        made = cls(**{**plain, **ids, "config": safe_config(plain["config"], "the saved encoder")})
        known = range(made.vocabulary)
        sound = len(made.special) == len(SPECIAL) and all(n in known for each in ids.values() for n in each)
        if not sound or made.pooling not in POOLINGS or made.vocabulary > LIMITS["vocab_size"]:
            raise AurifyError("the saved encoder's description contradicts itself; fit again")
        return made

    @property
    def own_ids(self) -> list[int]:
        """The encoder's id of each of our tokens (V,): the special ones first, then all others in its own order."""
        special = set(self.special)
        return [*self.special, *(n for n in range(self.vocabulary) if n not in special)]

    @property
    def most_tokens(self) -> int:
        """Tokens of a text that the encoder has positions for, its frame left out."""
        places = int(self.config.get("max_position_embeddings", 512))
        offset = self.special[0] + 1 if self.config["model_type"] in SHIFTED else 0
        return places - offset - len(self.before) - len(self.after)


SHIFTED = ("camembert", "mpnet", "roberta", "xlm-roberta")
"""Families whose positions begin after the id of padding."""


def safe_config(plain: Any, place: str) -> dict[str, Any]:
    """The entries of a config.json that a model is built from; raises AurifyError for what runs code or is absurd."""
    if not isinstance(plain, Mapping) or not isinstance(plain.get("model_type"), str):
        raise AurifyError(f"{place}: its config.json names no model_type, so it is no encoder of transformers")
    if plain["model_type"] not in FAMILIES:
        raise AurifyError(
            f"{place}: model_type {plain['model_type']!r} is not among the encoders used here: {', '.join(FAMILIES)}"
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
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most):
                raise AurifyError(f"{place}: {key} = {value!r} in its config.json; allowed: a whole number to {most:,}")
    for key, value in config.items():
        if isinstance(value, (int, float)) and not abs(value) <= max(LIMITS.values()):
            raise AurifyError(f"{place}: {key} = {value!r} in its config.json is out of all proportion; refused")


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
        with no_init_weights():
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
    return model.float()


class _Dropped(Dropout):
    """A dropout of transformers, keyed; its modules ask for ``p`` where they would drop attention weights."""

    p = 0.0

    def __init__(self, rate: float):
        super().__init__()
        self.rate = rate


class Encoder(Chain):
    """Tokens (B, L), ours, to vectors (B, D) of a pretrained encoder: those of its first token, or their mean.

    Rows are framed as the encoder is used to; what follows a ``SEPARATOR`` is its second segment. Mean over all tokens
    and frame, as in Reimers & Gurevych (2019). Padding changes nothing.
    """

    ids: Tensor

    def __init__(self, about: Description):
        super().__init__()
        self.about = about
        self.model = bare_model(about.config, about.pooling == "pooler")
        config: Any = self.model.config
        if about.vocabulary > config.vocab_size:
            raise AurifyError(
                f"the encoder's tokenizer has {about.vocabulary:,} tokens, its config.json says {config.vocab_size:,}"
            )
        if about.pooling == "pooler" and getattr(self.model, "pooler", None) is None:
            raise AurifyError(f"an encoder of the family {config.model_type!r} has no pooler; take pooling=cls or mean")
        self.register_buffer("ids", torch.tensor(about.own_ids, dtype=torch.int64))
        self.segments = int(getattr(config, "type_vocab_size", 0) or 0)
        self.width = int(config.hidden_size)
        self.widths = [self.width]

    def forward(self, tokens_BL: Tensor) -> Tensor:
        ids_BF, there_BF, segment_BF = self._framed(tokens_BL)
        more = {"token_type_ids": segment_BF} if self.segments > 1 else {}
        said = self.model(input_ids=ids_BF, attention_mask=there_BF.long(), **more)
        if self.about.pooling == "pooler":
            x_BD = said.pooler_output
        elif self.about.pooling == "cls":
            x_BD = said.last_hidden_state[:, 0]
        else:
            share_BF1 = there_BF[:, :, None].to(said.last_hidden_state.dtype)
            x_BD = (said.last_hidden_state * share_BF1).sum(1) / share_BF1.sum(1)
        return F.normalize(x_BD, dim=-1) if self.about.normalise else x_BD

    def _framed(self, tokens_BL: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The encoder's own ids (B, F), which of them are there, and their segments."""
        about, (rows, length) = self.about, tokens_BL.shape
        begin, end = len(about.before), len(about.after)
        there_BL = tokens_BL != PAD
        place_L = torch.arange(1, length + 1, device=tokens_BL.device)
        last_B1 = (there_BL * place_L).amax(1, keepdim=True)
        ids_BF = torch.full((rows, begin + length + end), about.special[0], device=tokens_BL.device)
        ids_BF[:, begin : begin + length] = self.ids[tokens_BL]
        ids_BF[:, :begin] = torch.tensor(about.before, dtype=torch.int64, device=tokens_BL.device)
        there_BF = F.pad(there_BL, (begin, end))
        there_BF[:, :begin] = True
        for at, own in enumerate(about.after):
            ids_BF.scatter_(1, begin + last_B1 + at, own)
            there_BF.scatter_(1, begin + last_B1 + at, True)
        parted_BL = (tokens_BL == SEPARATOR).long()
        before_BL = parted_BL.cumsum(1) - parted_BL
        segment_BF = F.pad(before_BL, (begin, 0))
        segment_BF = torch.cat([segment_BF, parted_BL.sum(1, keepdim=True).expand(-1, end)], 1)
        for at in range(end):
            segment_BF.scatter_(1, begin + last_B1 + at, parted_BL.sum(1, keepdim=True))
        return ids_BF, there_BF, segment_BF.clamp(max=1)


def entering(given: Input) -> Encoder:
    """The encoder whose tokens an input holds."""
    return Encoder(Description.from_json(given.encoder))
