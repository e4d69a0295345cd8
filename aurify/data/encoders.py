"""Texts through a pretrained encoder: its own tokens, or the vectors of one that stays as it is."""

# N rows, T ids in all, V different ones, D numbers of each vector

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from aurify.blocks.encoder import Description, Encoder
from aurify.blocks.entries import Plain
from aurify.core.errors import AurifyError
from aurify.core.gathering import by_width
from aurify.core.parts import Trait, knob
from aurify.core.ragged import SEPARATOR, UNKNOWN, Ragged, side_by_side
from aurify.core.types import Input, Layer, View
from aurify.data.characters import SPECIAL, with_tokens
from aurify.data.encoder_files import EncoderFiles, describe, find
from aurify.data.kept_module import around, as_fields
from aurify.data.subwords import ids_of, read_tokenizer, sound
from aurify.data.with_encoder import ENCODED, WithEncoder
from aurify.data.word_pattern import LONGEST_WORD

AT_ONCE = 32
"""Rows of one length that are encoded together."""

KEPT_BYTES = 64 * 2**20
"""Vectors of texts already met that are kept: a report asks about the same texts many times."""


@dataclass(kw_only=True)
class EncoderSettings(WithEncoder):
    """What parts ask that use a pretrained encoder of texts."""

    pooling: str = knob(
        "auto",
        "what stands for a text: first token, mean or the model's pooler; auto: as its folder says, or mean",
        choices=("auto", "cls", "mean", "pooler"),
    )
    length: int = knob(256, "tokens of a text that are read", low=32, high=512, log=True, legal=(1, 65_536))
    needs = frozenset({Trait.TEXTS, Trait.ENCODER})


class EncoderTokens(Layer):
    """Texts as the tokens of a pretrained encoder, renumbered so that the special ones are ours."""

    tokenizer: Tensor
    about: str
    length: int

    @classmethod
    def fit(cls, model: str, pooling: str, length: int) -> EncoderTokens:
        """Take the tokenizer and the description of an encoder; nothing is learnt from rows."""
        return cls(**taken(find(model), pooling, length))

    @cached_property
    def description(self) -> Description:
        return Description.from_json(self.about)

    @cached_property
    def cutter(self) -> Any:
        return _cutter(self.tokenizer)

    @cached_property
    def renumbered(self) -> Tensor:
        """Our id of each of the encoder's own (V,)."""
        table = torch.full((self.description.vocabulary,), UNKNOWN, dtype=torch.int32)
        own = torch.tensor(self.description.own_ids)
        table[own[len(SPECIAL) :]] = torch.arange(len(SPECIAL), len(own), dtype=torch.int32)
        for at in reversed(range(len(SPECIAL))):  # where two of them share an id it is the first
            table[own[at]] = at
        return table

    def forward(self, values: dict[str, Any]) -> dict[str, Any]:
        return {**{k: v for k, v in values.items() if k != "texts"}, "tokens": self.tokens(values["texts"])}

    def tokens(self, texts: Ragged) -> Ragged:
        texts = texts.first(self.length * LONGEST_WORD)  # of a whole book the beginning
        own = ids_of(self.cutter, map(sound, texts.flat_texts()), texts.columns)
        ours = self.renumbered[own.values.long()]
        ours = torch.where(ours == 0, UNKNOWN, ours)  # nothing inside a text is padding
        return side_by_side(replace(own, values=ours), SEPARATOR, UNKNOWN).first(self.length)

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        words = (self.cutter.id_to_token(n) or "" for n in self.description.own_ids[len(SPECIAL) :])
        after = with_tokens(before, (*SPECIAL, *words))
        return {**after, "tokens": replace(after["tokens"], encoder=self.about)}


class FrozenTexts(Layer):
    """Texts as vectors (N, D) of an encoder that stays as it is, each number centred and scaled on training rows."""

    tokenizer: Tensor
    about: str
    length: int
    centre: Tensor
    spread: Tensor

    @classmethod
    def fit(cls, view: View, model: str, pooling: str, length: int) -> FrozenTexts:
        files = find(model)
        fields = taken(files, pooling, length)
        about = Description.from_json(fields["about"])
        encoder = Encoder(about)
        encoder.model.load_state_dict(files.weights(about.pooling == "pooler"), strict=False)
        width = encoder.width
        layer = cls(**fields, **as_fields(encoder), centre=torch.zeros(width), spread=torch.ones(width))
        x_ND = layer.vectors(view.values["texts"]).double()
        spread_D = x_ND.std(0, unbiased=False) if len(x_ND) else torch.ones(width)
        layer.centre.copy_(x_ND.mean(0) if len(x_ND) else torch.zeros(width))
        layer.spread.copy_(torch.where(spread_D > 1e-6, spread_D, 1.0))
        return layer

    @cached_property
    def tokens(self) -> EncoderTokens:
        return EncoderTokens(tokenizer=self.tokenizer, about=self.about, length=self.length)

    @cached_property
    def known(self) -> dict[bytes, Tensor]:
        return {}

    @cached_property
    def encoder(self) -> list[Encoder]:
        """The encoder around this layer's own tensors; in a list, which ``named_buffers`` does not look into."""
        return [around(self.tensors(), lambda: Encoder(Description.from_json(self.about)))]

    def forward(self, values: dict[str, Any]) -> dict[str, Any]:
        x_ND = (self.vectors(values["texts"]) - self.centre) / self.spread
        return {**{k: v for k, v in values.items() if k != "texts"}, ENCODED: x_ND.double()}

    @torch.no_grad()
    def vectors(self, texts: Ragged) -> Tensor:
        """What the encoder says of each row (N, D) float32; a text is encoded once."""
        rows = self.tokens.tokens(texts)
        values, ends = rows.values.numpy(), rows.ends.tolist()
        keys = [
            hashlib.blake2b(values[start:end].tobytes(), digest_size=16).digest()
            for start, end in itertools.pairwise(ends)
        ]
        fresh = {key: at for at, key in enumerate(keys) if key not in self.known}
        found = dict(self.known)
        if fresh:
            places = torch.tensor(list(fresh.values()))
            inputs = {"tokens": rows[places]}
            answers = by_width(inputs, torch.device("cpu"), self._encoded, AT_ONCE)
            found |= dict(zip(fresh, answers, strict=True))
            room = KEPT_BYTES // (4 * answers.shape[1]) - len(self.known)
            self.known.update((key, found[key].clone()) for key in list(fresh)[: max(0, room)])
        return torch.stack([found[key] for key in keys]) if keys else torch.empty(0, len(self.centre))

    def _encoded(self, inputs: Mapping[str, Tensor]) -> Tensor:
        (encoder,) = self.encoder
        return torch.cat([encoder(tokens) for tokens in inputs["tokens"].split(AT_ONCE)])

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        names = tuple(f"{ENCODED} {at + 1}" for at in range(len(self.centre)))
        after = {k: v for k, v in before.items() if k != "texts"}
        return {**after, ENCODED: Input("numbers", (len(names),), names, entry=Plain)}


def taken(files: EncoderFiles, pooling: str, length: int) -> dict[str, Any]:
    """The fields that both layers share: a tokenizer as bytes, the description, how many tokens are read."""
    tokenizer = files.tokenizer()
    about = describe(files, tokenizer, pooling)
    cutter = tokenizer.backend_tokenizer
    cutter.no_truncation()
    cutter.no_padding()
    data = bytearray(cutter.to_str().encode())
    length = min(length, about.most_tokens)
    if length < 1:
        raise AurifyError(f"{files.name}: its config.json leaves no positions for a text")
    return {"tokenizer": torch.frombuffer(data, dtype=torch.uint8), "about": about.to_json(), "length": length}


def _cutter(data: Tensor) -> Any:
    cutter = read_tokenizer(data.numpy().tobytes().decode(errors="replace"))
    cutter.encode_special_tokens = True  # a text that says [SEP] says these letters
    return cutter
