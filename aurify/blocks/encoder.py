"""A pretrained text encoder as a block: what describes it, its module, and one vector of each text."""

# B rows, L tokens of the longest, F tokens with those that frame a text, D numbers of each vector

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from aurify.blocks.foreign import LIMITS, Foreign, bare_model, safe_config
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
        made = cls(**{**plain, **ids, "config": safe_config(plain["config"], "the saved encoder", FAMILIES)})
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


class Encoder(Foreign):
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
