"""What every part asks that uses a pretrained encoder."""

from __future__ import annotations

from dataclasses import dataclass

from aurify.core.parts import Part, Trait, knob
from aurify.data.hub_files import local_files

ENCODED = "encoded"
"""The input that holds the vectors of a frozen encoder."""


@dataclass(kw_only=True)
class WithEncoder(Part):
    """A part that has an encoder once its settings name one."""

    model: str = knob("", "folder of the encoder, or its name on the Hugging Face hub", file=True)

    @property
    def offers(self) -> frozenset[Trait]:
        return frozenset({Trait.ENCODER} if self.model else ())

    @property
    def files(self) -> tuple[str, ...]:
        return local_files(self.model)
