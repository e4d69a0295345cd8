"""A pretrained text encoder and a head."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import nn

from aurify.blocks.encoder import Encoder, entering
from aurify.blocks.encoder_network import EncoderNetwork, OneLayer
from aurify.blocks.foreign import foreign_in
from aurify.core.errors import AurifyError
from aurify.core.parts import Trait
from aurify.core.types import Layer, Signature, View
from aurify.data.encoder_files import find
from aurify.data.encoders import EncoderSettings, EncoderTokens, FrozenTexts


@dataclass(kw_only=True)
class Pretrained(EncoderNetwork, EncoderSettings):
    """An encoder that learnt language elsewhere, and one layer on what it says of a text (BERT, Devlin et al. 2019).

    It brings its own tokens; other columns stand beside its vector. ``frozen``: texts are encoded once, before
    training, and only the head learns. ``lora``: thin matrices beside each of the encoder's learn too (Hu et al.
    2022). ``full``: all weights learn, at a small share of the learning rate. Helps: texts of which there are too few
    to learn language from. Hurts: without an accelerator ``lora`` and ``full`` take minutes a thousand texts with an
    encoder of usual size. Weights are read from safetensors only, and no code that comes with them is run. Attention
    weights are not dropped, else dropout is as the encoder says unless the technique ``dropout`` is used.
    """

    slot = "tokens"

    @property
    def offers(self) -> frozenset[Trait]:
        return super().offers | ({Trait.ENCODED} if self.model and self.tuning == "frozen" else set())

    def layer(self, view: View) -> Layer | None:
        if "texts" not in view.inputs:
            return None
        if self.tuning == "frozen":
            return FrozenTexts.fit(view, self.model, self.pooling, self.length)
        return EncoderTokens.fit(self.model, self.pooling, self.length)

    def around(self, signature: Signature) -> nn.Module:
        inputs = dict(signature.inputs)
        tokens = inputs.get("tokens")
        if tokens is not None and not tokens.encoder:
            raise AurifyError("network 'pretrained' reads tokens of its own model only; leave other tokens out")
        if tokens is not None:
            inputs["tokens"] = replace(tokens, entry=entering)
        return OneLayer(replace(signature, inputs=inputs))

    def first_weights(self, model: nn.Module) -> None:
        encoder = foreign_in(model)
        if isinstance(encoder, Encoder):
            weights = find(self.model).weights(encoder.about.pooling == "pooler")
            encoder.model.load_state_dict(weights, strict=False)
