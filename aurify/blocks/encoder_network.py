"""What networks around a pretrained encoder share: which of its weights learn, how fast, and the plain head."""

# B batch, W width after encoding, K outputs

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from aurify.blocks.dropout import Dropout
from aurify.blocks.entries import Entries
from aurify.blocks.foreign import foreign_in
from aurify.blocks.lora import make_low_rank
from aurify.core.errors import AurifyError
from aurify.core.parts import Network, knob
from aurify.core.types import Blend, Signature

RATES = {"lora": 0.1, "full": 0.01}
"""Learning rate of an encoder as a share of the head's: with the 2e-3 that texts begin with, 2e-4 and 2e-5."""

RANK, SCALE = 8, 2.0


@dataclass(kw_only=True)
class EncoderNetwork(Network):
    """A network that may hold an encoder (``Foreign``)."""

    tuning: str = knob("frozen", "which of the encoder's weights learn", choices=("frozen", "lora", "full"))
    rate: float | None = knob(
        None,
        "learning rate of the encoder, as a share of the head's; nothing: 0.1 of lora, 0.01 of full",
        low=1e-3,
        high=1.0,
        log=True,
        legal=(0.0, 100.0),
    )

    def around(self, signature: Signature) -> nn.Module:
        """The module, its encoder's weights all free to learn."""
        raise NotImplementedError

    def build(self, signature: Signature) -> nn.Module:
        model = self.around(signature)
        encoder = foreign_in(model)
        if encoder is not None and self.tuning == "lora":
            encoder.requires_grad_(False)
            if not make_low_rank(encoder.model, RANK, SCALE):
                raise AurifyError(
                    f"tuning=lora: this encoder has no linear layer {2 * RANK} wide to put matrices beside, as those of"
                    " convolutions do not; take tuning=full, or frozen"
                )
        return model

    def groups(self, model: nn.Module) -> list[dict[str, Any]]:
        found = foreign_in(model)
        own = {id(p) for p in found.parameters()} if found is not None else set()
        trained = [p for p in model.parameters() if p.requires_grad]
        rate = RATES.get(self.tuning, 1.0) if self.rate is None else self.rate
        encoder, rest = ([p for p in trained if (id(p) in own) is inside] for inside in (True, False))
        return [{"params": rest}] + ([{"params": encoder, "rate": rate}] if encoder else [])


class OneLayer(nn.Module):
    """All inputs side by side and one layer on them: ``inputs`` and a blend's partners to (B, K)."""

    def __init__(self, signature: Signature):
        super().__init__()
        self.enter = Entries(signature)
        self.drop = Dropout()
        self.leave = nn.Linear(self.enter.width, signature.outputs)

    def forward(self, inputs: Mapping[str, Tensor], blend: Blend | None = None) -> Tensor:
        return self.leave(self.drop(self.enter(inputs, blend)))
