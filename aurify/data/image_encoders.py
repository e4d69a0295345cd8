"""Images for a pretrained encoder: as they are, with what describes it, or as vectors of one that stays as it is."""

# N rows, H height, W width, C channels, D numbers of each vector

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from aurify.blocks.entries import Plain
from aurify.blocks.image_encoder import ImageDescription, ImageEncoder
from aurify.blocks.picture import floats
from aurify.core.parts import Trait, knob
from aurify.core.pixels import Pixels
from aurify.core.types import Input, Layer, View
from aurify.data.image_encoder_files import find_images
from aurify.data.image_form import IMAGES
from aurify.data.kept_module import around, as_fields
from aurify.data.with_encoder import ENCODED, WithEncoder

AT_ONCE, GATHERED = 8, 256
"""Images that are always encoded together, so that no last bit depends on how many are; and looked up together."""

KEPT_BYTES = 256 * 2**20
"""Vectors of images already met that are kept: a report asks about the same images many times."""


@dataclass(kw_only=True)
class ImageEncoderSettings(WithEncoder):
    """What parts ask that use a pretrained encoder of images."""

    pooling: str = knob(
        "auto",
        "what stands for an image: first token, mean or the model's pooler; auto: as is usual for its family",
        choices=("auto", "cls", "mean", "pooler"),
    )
    size: int = knob(
        0, "side in pixels that images are brought to; 0: that of the encoder's own", low=32, high=256, legal=(0, 1024)
    )
    needs = frozenset({Trait.IMAGES, Trait.ENCODER})


class EncoderPixels(Layer):
    """Images as they are, for a network that holds the encoder; it centres and scales them itself."""

    about: str

    @classmethod
    def fit(cls, model: str, pooling: str, size: int) -> EncoderPixels:
        """Take the description of an encoder; nothing is learnt from rows."""
        return cls(about=find_images(model).describe(pooling, size or None).to_json())

    def forward(self, values: dict[str, Any]) -> dict[str, Any]:
        return values

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        return {**before, IMAGES: replace(before[IMAGES], encoder=self.about, centre=(), scale=())}


class FrozenImages(Layer):
    """Images as vectors (N, D) of an encoder that stays as it is, each number centred and scaled on training rows."""

    about: str
    centre: Tensor
    spread: Tensor

    @classmethod
    def fit(cls, view: View, model: str, pooling: str, size: int) -> FrozenImages:
        files = find_images(model)
        about = files.describe(pooling, size or None)
        encoder = ImageEncoder(about)
        encoder.model.load_state_dict(files.weights(about.pooling == "pooler"), strict=False)
        width = encoder.width
        stored = as_fields(encoder)
        layer = cls(about=about.to_json(), **stored, centre=torch.zeros(width), spread=torch.ones(width))
        x_ND = layer.vectors(view.values[IMAGES])
        if len(x_ND):
            spread_D = x_ND.double().std(0, unbiased=False)
            layer.centre.copy_(x_ND.double().mean(0))
            layer.spread.copy_(torch.where(spread_D > 1e-6, spread_D, 1.0))
        layer.own = layer.with_vectors(dict(view.values), x_ND)  # of very many rows none is encoded twice
        return layer

    @cached_property
    def known(self) -> dict[bytes, Tensor]:
        return {}

    @cached_property
    def encoder(self) -> list[ImageEncoder]:
        """The encoder around this layer's own tensors; in a list, which ``named_buffers`` does not look into."""
        return [around(self.tensors(), lambda: ImageEncoder(ImageDescription.from_json(self.about)))]

    def forward(self, values: dict[str, Any]) -> dict[str, Any]:
        return self.with_vectors(values, self.vectors(values[IMAGES]))

    def with_vectors(self, values: dict[str, Any], x_ND: Tensor) -> dict[str, Any]:
        """The values with scaled vectors in place of the images."""
        scaled = ((x_ND - self.centre) / self.spread).double()
        return {**{k: v for k, v in values.items() if k != IMAGES}, ENCODED: scaled}

    @torch.no_grad()
    def vectors(self, images: Pixels | Tensor) -> Tensor:
        """What the encoder says of each image (N, D) float32; of ``Pixels`` each is encoded once."""
        (encoder,) = self.encoder
        if isinstance(images, Tensor):
            return encoder(floats(images))
        found = torch.empty(len(images), encoder.width)
        for start in range(0, len(images), GATHERED):
            some = images[start : start + GATHERED].taken().cpu()
            keys = [hashlib.blake2b(each.numpy().tobytes(), digest_size=16).digest() for each in some]
            fresh = {key: at for at, key in enumerate(keys) if key not in self.known}
            said = dict(zip(fresh, _in_wholes(encoder, some[list(fresh.values())]), strict=True))
            for at, key in enumerate(keys):
                found[start + at] = said[key] if key in said else self.known[key]
            if len(self.known) < KEPT_BYTES // (4 * encoder.width):
                self.known.update((key, value.clone()) for key, value in said.items())
        return found

    def inputs(self, before: Mapping[str, Input]) -> dict[str, Input]:
        names = tuple(f"{ENCODED} {at + 1}" for at in range(len(self.centre)))
        after = {k: v for k, v in before.items() if k != IMAGES}
        return {**after, ENCODED: Input("numbers", (len(names),), names, entry=Plain)}


def _in_wholes(encoder: ImageEncoder, images: Tensor) -> list[Tensor]:
    """Vectors of images (M, H, W, C), of which as many go through the encoder each time."""
    filled = torch.cat([images, images[:1].expand(-len(images) % AT_ONCE, -1, -1, -1)])
    return [vector for some in filled.split(AT_ONCE) if len(some) for vector in encoder(floats(some))][: len(images)]
