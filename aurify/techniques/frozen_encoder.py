"""Texts as numbers, by way of an encoder that learnt elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

from aurify.core.parts import Stage, Technique, Trait, knob
from aurify.core.types import Layer, View
from aurify.data.encoder_files import local_files
from aurify.data.encoders import FrozenTexts


@dataclass(kw_only=True)
class FrozenEncoder(Technique):
    """Turn each text into the vector that a pretrained encoder has for it (Reimers & Gurevych 2019).

    The encoder stays as it is and sees each text once, so training is as fast as on a table, with any network for
    tables. Helps: few rows, no accelerator, encoders made for whole sentences. Hurts: where words mean something else
    than they did to the encoder: fine-tuning (``network=pretrained``) gets further then, at a hundred times the cost.
    """

    family = "texts"
    stage = Stage.ENCODE
    order = 10  # beside columns that are ready
    slot = "tokens"
    needs = frozenset({Trait.TEXTS, Trait.ENCODER})
    model: str = knob("", "folder of the encoder, or its name on the Hugging Face hub", file=True)
    pooling: str = knob(
        "auto",
        "what stands for a text: first token, mean or the model's pooler; auto: as its folder says, or mean",
        choices=("auto", "cls", "mean", "pooler"),
    )
    length: int = knob(256, "tokens of a text that are read", low=32, high=512, log=True, legal=(1, 65_536))
    neutral = {"model": ""}
    vivid = {"model": "FOLDER"}

    @property
    def offers(self) -> frozenset[Trait]:
        return frozenset({Trait.ENCODER, Trait.ENCODED} if self.model else ())

    @property
    def files(self) -> tuple[str, ...]:
        return local_files(self.model)

    def layer(self, view: View) -> Layer | None:
        if not self.model or "texts" not in view.inputs:
            return None
        return FrozenTexts.fit(view, self.model, self.pooling, self.length)
