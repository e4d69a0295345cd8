"""A pretrained image encoder and a head."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from aurify.blocks.encoder_network import EncoderNetwork, OneLayer
from aurify.blocks.foreign import foreign_in
from aurify.blocks.image_encoder import ImageEncoder, looking
from aurify.blocks.image_head import ImageHead
from aurify.blocks.picture import PIXELS
from aurify.core.errors import AurifyError
from aurify.core.parts import Trait
from aurify.core.types import Layer, Signature, View
from aurify.data.image_encoder_files import find_images
from aurify.data.image_encoders import EncoderPixels, FrozenImages, ImageEncoderSettings
from aurify.data.image_form import IMAGES


@dataclass(kw_only=True)
class PretrainedImage(EncoderNetwork, ImageEncoderSettings):
    """An encoder that learnt to see elsewhere, and a head on what it says of an image (Kornblith et al. 2019).

    A ViT, ResNet, ConvNeXt, Swin or another of transformers, or one of timm (``timm/NAME``) where that is installed.
    ``frozen``: images are encoded once, before training, and only the head learns (a linear probe). ``lora``: thin
    matrices beside those of attention and feed-forward layers learn too (Hu et al. 2022). ``full``: all weights learn,
    at a small share of the learning rate; ``unfreeze`` lets them begin one stage after another, ``layer_rates`` slows
    those near the input. Helps: photographs of which there are too few to learn seeing from. Hurts: images unlike any
    photograph; without an accelerator ``full`` takes minutes a thousand images. Weights are read from safetensors
    only. Attention weights are not dropped and no branch is skipped, whatever the encoder's own settings say.
    """

    all_cores = True

    @property
    def offers(self) -> frozenset[Trait]:
        return super().offers | ({Trait.ENCODED} if self.model and self.tuning == "frozen" else set())

    def layer(self, view: View) -> Layer | None:
        if IMAGES not in view.inputs:
            return None
        if self.tuning == "frozen":
            return FrozenImages.fit(view, self.model, self.pooling, self.size)
        return EncoderPixels.fit(self.model, self.pooling, self.size)

    def around(self, signature: Signature) -> nn.Module:
        given = next((each for each in signature.inputs.values() if each.kind == PIXELS), None)
        if given is None:
            return OneLayer(signature)
        if not given.encoder:
            raise AurifyError("network 'pretrained_image' looks at images prepared for its own model only")
        look = looking(given)
        return ImageHead(look, look.width, signature, look.width)

    def first_weights(self, model: nn.Module) -> None:
        encoder = foreign_in(model)
        if isinstance(encoder, ImageEncoder):
            weights = find_images(self.model).weights(encoder.about.pooling == "pooler")
            encoder.model.load_state_dict(weights, strict=False)
