"""A pretrained image encoder as a block: what describes it, its module, and one vector of each image."""

# B rows, C channels, Y height, X width, T tokens, D numbers of each vector

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from inspect import signature
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from aurify.blocks.foreign import Foreign, bare_model, safe_config
from aurify.core.errors import AurifyError

CHANNELS, MOST_SIDE = 3, 1024

FAMILIES = {
    **dict.fromkeys(("deit", "dinov2", "dinov2_with_registers", "vit"), "cls"),
    **dict.fromkeys(("clip_vision_model", "convnext", "convnextv2", "dinov3_vit", "mobilenet_v2"), "pooler"),
    **dict.fromkeys(("regnet", "resnet", "siglip_vision_model", "swin", "timm_wrapper"), "pooler"),
}
"""Kinds of encoders that are known to answer here as they do in transformers, and what stands for an image in each."""

POOLINGS = ("cls", "mean", "pooler")
BEFORE = {"clip_vision_model": 1, "deit": 2, "dinov2": 1, "dinov2_with_registers": 1, "dinov3_vit": 1, "vit": 1}
"""Tokens that come before those of the patches, registers aside."""


@dataclass(frozen=True)
class ImageDescription:
    """All that an encoder is rebuilt from, weights aside.

    ``config`` is the plain part of its config.json, ``size`` the height and width that images are brought to, ``mean``
    and ``deviation`` what each channel, in [0, 1], is centred on and divided by.
    """

    config: Mapping[str, Any]
    size: tuple[int, int]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    pooling: str

    def __post_init__(self) -> None:
        scales = (*self.mean, *self.deviation)
        sound = len(self.size) == 2 and all(isinstance(n, int) and 1 <= n <= MOST_SIDE for n in self.size)
        sound = sound and len(self.mean) == len(self.deviation) == CHANNELS
        sound = sound and all(isinstance(n, (int, float)) and math.isfinite(n) for n in scales)
        if not sound or min(self.deviation) <= 0 or self.pooling not in POOLINGS:
            raise AurifyError(
                f"the encoder's images would be {self.size} large, centred on {self.mean}, divided by {self.deviation}:"
                f" needed are sides of 1 to {MOST_SIDE} pixels and {CHANNELS} numbers of each, divisors above 0"
            )

    def to_json(self) -> str:
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> ImageDescription:
        """Read what ``to_json`` wrote; raises AurifyError for a configuration that is not used here."""
        plain = json.loads(text)
        several = {name: tuple(plain[name]) for name in ("size", "mean", "deviation")}
        return cls(**{**plain, **several, "config": safe_config(plain["config"], "the saved encoder", FAMILIES)})


class ImageEncoder(Foreign):
    """Images (B, C, Y, X) in [0, 1], of 1 channel or 3, to vectors (B, D) of a pretrained encoder.

    They are brought to the size that it is used to; places it has learnt for another size are interpolated.
    """

    centre: Tensor
    spread: Tensor

    def __init__(self, about: ImageDescription):
        super().__init__()
        self.about = about
        self.model = bare_model(about.config, about.pooling == "pooler")
        for name, values in (("centre", about.mean), ("spread", about.deviation)):
            self.register_buffer(name, torch.tensor(values).view(CHANNELS, 1, 1))
        config: Any = self.model.config
        if getattr(config, "num_channels", CHANNELS) != CHANNELS:
            raise AurifyError(f"the encoder looks at {config.num_channels} channels; used here are those of {CHANNELS}")
        self.before = BEFORE.get(config.model_type, 0) + int(getattr(config, "num_register_tokens", 0) or 0)
        can = "interpolate_pos_encoding" in signature(self.model.forward).parameters
        self.more = {"interpolate_pos_encoding": True} if can and about.size != _own_size(config) else {}
        self.width = _width(about, self.before, self.more)

    def forward(self, x_BCYX: Tensor) -> Tensor:
        x_BCYX = x_BCYX.expand(-1, CHANNELS, -1, -1)
        if tuple(x_BCYX.shape[2:]) != self.about.size:
            x_BCYX = F.interpolate(x_BCYX, self.about.size, mode="bilinear", antialias=True)
        said = self.model(pixel_values=(x_BCYX - self.centre) / self.spread, **self.more)
        return _pooled(said, self.about.pooling, self.before)


def _own_size(config: Any) -> tuple[int, int] | None:
    side = getattr(config, "image_size", None)
    return (side, side) if isinstance(side, int) else None if side is None else tuple(side)


def _pooled(said: Any, pooling: str, before: int) -> Tensor:
    if pooling == "pooler":
        return said.pooler_output.flatten(1)
    x = said.last_hidden_state
    if x.ndim == 4:
        return x.mean((2, 3))
    return x[:, 0] if pooling == "cls" else x[:, before:].mean(1)


def _width(about: ImageDescription, before: int, more: Mapping[str, Any]) -> int:
    """How many numbers come out, found without memory; raises AurifyError where nothing does."""
    config = about.config
    with torch.device("meta"), torch.no_grad():
        model = bare_model(config, about.pooling == "pooler").eval()
        try:
            said = model(pixel_values=torch.empty(1, CHANNELS, *about.size), **more)
            empty = said.pooler_output is None if about.pooling == "pooler" else False
        except Exception as error:
            reason = " ".join(str(error).split())[:200]
            raise AurifyError(
                f"the encoder cannot look at images of {about.size[0]} x {about.size[1]} pixels"
                f" ({type(error).__name__}: {reason}); set network.size, of which its own is a good one"
            ) from None
        if empty or (about.pooling == "cls" and (said.last_hidden_state.ndim == 4 or not before)):
            raise AurifyError(
                f"an encoder of the family {config['model_type']!r} has no {'pooler' if empty else 'first token'} that"
                " stands for an image; take pooling=mean"
            )
        return int(_pooled(said, about.pooling, before).shape[1])


def looking(given: Any) -> ImageEncoder:
    """The encoder that an input of pixels is for."""
    return ImageEncoder(ImageDescription.from_json(given.encoder))
