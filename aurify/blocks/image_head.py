"""What networks for images share: what was seen in an image meets the columns beside it."""

# B batch, F features of an image, K outputs

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from aurify.blocks.meeting import Meeting
from aurify.blocks.picture import Pictures
from aurify.core.types import Blend, Signature


class ImageHead(nn.Module):
    """Answers from an image and the columns beside it: ``inputs`` and a blend's partners to (B, K).

    ``look`` makes features (B, F) of images (B, C, H, W), which a blend mixes pixel by pixel. Weights of convolutions
    lie channels last, as the images do.
    """

    def __init__(self, look: nn.Module, features: int, signature: Signature, width: int):
        super().__init__()
        self.pictures = Pictures(signature)
        self.look = look.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.meeting = Meeting(features, signature, self.pictures.name, width)

    def forward(self, inputs: Mapping[str, Tensor], blend: Blend | None = None) -> Tensor:
        return self.meeting.together(self.look(self.pictures(inputs, blend)), inputs, blend)
