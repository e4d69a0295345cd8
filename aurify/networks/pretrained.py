"""A pretrained text encoder and a head."""

# B batch, W width after encoding, K outputs

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from aurify.blocks.dropout import Dropout
from aurify.blocks.encoder import Encoder, entering
from aurify.blocks.entries import Entries
from aurify.blocks.lora import make_low_rank
from aurify.core.errors import AurifyError
from aurify.core.parts import Network, Trait, knob
from aurify.core.types import Blend, Layer, Signature, View
from aurify.data.encoder_files import find
from aurify.data.encoders import EncoderSettings, EncoderTokens, FrozenTexts

RATES = {"lora": 0.1, "full": 0.01}
"""Learning rate of an encoder as a share of the head's: with the 2e-3 that texts begin with, 2e-4 and 2e-5."""

RANK, SCALE = 8, 2.0


@dataclass(kw_only=True)
class Pretrained(EncoderSettings, Network):
    """An encoder that learnt language elsewhere, and one layer on what it says of a text (BERT, Devlin et al. 2019).

    It brings its own tokens; other columns stand beside its vector. ``frozen``: texts are encoded once, before
    training, and only the head learns. ``lora``: thin matrices beside each of the encoder's learn too (Hu et al.
    2022). ``full``: all weights learn, at a small share of the learning rate. Helps: texts of which there are too few
    to learn language from. Hurts: without an accelerator ``lora`` and ``full`` take minutes a thousand texts with an
    encoder of usual size. Weights are read from safetensors only, and no code that comes with them is run. Attention
    weights are not dropped, else dropout is as the encoder says unless the technique ``dropout`` is used.
    """

    slot = "tokens"
    tuning: str = knob("frozen", "which of the encoder's weights learn", choices=("frozen", "lora", "full"))
    rate: float | None = knob(
        None,
        "learning rate of the encoder, as a share of the head's; nothing: 0.1 of lora, 0.01 of full",
        low=1e-3,
        high=1.0,
        log=True,
        legal=(0.0, 100.0),
    )

    @property
    def offers(self) -> frozenset[Trait]:
        return super().offers | ({Trait.ENCODED} if self.model and self.tuning == "frozen" else set())

    def layer(self, view: View) -> Layer | None:
        if "texts" not in view.inputs:
            return None
        if self.tuning == "frozen":
            return FrozenTexts.fit(view, self.model, self.pooling, self.length)
        return EncoderTokens.fit(self.model, self.pooling, self.length)

    def build(self, signature: Signature) -> nn.Module:
        model = _Pretrained(signature)
        encoder = model.encoder
        if encoder is not None and self.tuning == "lora":
            encoder.requires_grad_(False)
            make_low_rank(encoder.model, RANK, SCALE)
        return model

    def first_weights(self, model: nn.Module) -> None:
        assert isinstance(model, _Pretrained)
        if (encoder := model.encoder) is not None:
            weights = find(self.model).weights(encoder.about.pooling == "pooler")
            encoder.model.load_state_dict(weights, strict=False)

    def groups(self, model: nn.Module) -> list[dict[str, Any]]:
        assert isinstance(model, _Pretrained)
        own = {id(p) for p in model.encoder.parameters()} if model.encoder is not None else set()
        trained = [p for p in model.parameters() if p.requires_grad]
        rate = RATES.get(self.tuning, 1.0) if self.rate is None else self.rate
        encoder, rest = ([p for p in trained if (id(p) in own) is inside] for inside in (True, False))
        return [{"params": rest}] + ([{"params": encoder, "rate": rate}] if encoder else [])


class _Pretrained(nn.Module):
    def __init__(self, signature: Signature):
        super().__init__()
        inputs = dict(signature.inputs)
        tokens = inputs.get("tokens")
        if tokens is not None and not tokens.encoder:
            raise AurifyError("network 'pretrained' reads tokens of its own model only; leave other tokens out")
        if tokens is not None:
            inputs["tokens"] = replace(tokens, entry=entering)
        self.enter = Entries(replace(signature, inputs=inputs))
        self.drop = Dropout()
        self.leave = nn.Linear(self.enter.width, signature.outputs)

    @property
    def encoder(self) -> Encoder | None:
        found: Any = dict(self.enter.entries.named_children()).get("tokens")
        return found

    def forward(self, inputs: Mapping[str, Tensor], blend: Blend | None = None) -> Tensor:
        return self.leave(self.drop(self.enter(inputs, blend)))
