"""Texts as numbers, by way of an encoder that learnt elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from aurify.core.parts import Stage, Technique, Trait
from aurify.core.types import Layer, View
from aurify.data.encoders import EncoderSettings, FrozenTexts


@dataclass(kw_only=True)
class FrozenEncoder(EncoderSettings, Technique):
    """Turn each text into the vector that a pretrained encoder has for it (Reimers & Gurevych 2019).

    The encoder stays as it is and sees each text once, so training is as fast as on a table, with any network for
    tables. Helps: few rows, no accelerator, encoders made for whole sentences. Hurts: where words mean something else
    than they did to the encoder: fine-tuning (``network=pretrained``) gets further then, at a hundred times the cost.
    """

    family = "texts"
    stage = Stage.ENCODE
    order = 10  # beside columns that are ready
    slot = "tokens"
    neutral = {"model": ""}
    vivid = {"model": "FOLDER"}

    @property
    def offers(self) -> frozenset[Trait]:
        return super().offers | ({Trait.ENCODED} if self.model else set())

    def layer(self, view: View) -> Layer | None:
        if not self.model or "texts" not in view.inputs:
            return None
        return FrozenTexts.fit(view, self.model, self.pooling, self.length)
