"""Residual networks for images."""

# B batch, C channels, Y height, X width

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from aurify.blocks.batch_norm import ImageBatchNorm
from aurify.blocks.drop_path import DropPath
from aurify.blocks.image_head import ImageHead
from aurify.blocks.picture import pixel_input
from aurify.core.parts import Network, Trait, knob
from aurify.core.types import Signature

BLOCKS = {
    8: (1, 1, 1),
    14: (2, 2, 2),
    18: (2, 2, 2, 2),
    20: (3, 3, 3),
    32: (5, 5, 5),
    34: (3, 4, 6, 3),
    50: (3, 4, 6, 3),
}
"""Blocks of each stage by layers that have weights: three stages as for CIFAR-10, four as for ImageNet."""

BOTTLENECKS, NARROWING = 50, 4
"""From this depth on blocks are bottlenecks: a quarter as wide inside as where they join the plain path."""

SMALL_SIDE = 64
"""Images of at most this many pixels a side keep all of them in the first stage."""


@dataclass(kw_only=True)
class Resnet(Network):
    """Convolutions in pairs that each add a correction to what the image was before them (He et al. 2016).

    Of 8, 14, 20 or 32 layers it is their network for CIFAR-10, of 18, 34 or 50 the one for ImageNet; other depths are
    rounded down. The last norm of each branch begins at zero (Goyal et al. 2017). Helps: photographs, thousands of
    images and more. Hurts: a few hundred images, which a pretrained network (``pretrained_image``) knows better;
    plain digits, where ``convnet`` is as good in a third of the time.
    """

    needs = frozenset({Trait.PICTURES})
    all_cores = True
    depth: int = knob(14, "layers with weights: 8, 14, 18, 20, 32, 34 or 50", low=8, high=34, legal=(8, 50))
    channels: int = knob(
        32, "filters of the first stage; each further one has twice as many", low=16, high=64, log=True, legal=(1, 512)
    )
    stem: str = knob(
        "auto",
        "beginning: small keeps every pixel, large makes a quarter of the sides; auto: small up to 64 pixels a side",
        choices=("auto", "small", "large"),
    )

    @property
    def offers(self) -> frozenset[Trait]:
        return frozenset({Trait.RESIDUAL, Trait.ANY_SIZE})

    def build(self, signature: Signature) -> nn.Module:
        _, given = pixel_input(signature)
        height, width, channels = given.shape
        small = self.stem == "small" or (self.stem == "auto" and min(height, width) <= SMALL_SIDE)
        deep = max(known for known in BLOCKS if known <= self.depth)
        look = _Residual(channels, self.channels, BLOCKS[deep], deep >= BOTTLENECKS, small)
        return ImageHead(look, look.features, signature, look.features)

    def first_weights(self, model: nn.Module) -> None:
        """Branches begin by adding nothing."""
        for module in model.modules():
            if isinstance(module, Branch):
                nn.init.zeros_(module.last_norm.weight)


class Filters(nn.Conv2d):
    """A convolution without bias, centred, whose weights begin as keeps the size of gradients (He et al. 2015)."""

    def __init__(self, before: int, after: int, side: int, stride: int = 1):
        super().__init__(before, after, side, stride, side // 2, bias=False)

    def reset_parameters(self) -> None:
        nn.init.kaiming_normal_(self.weight, mode="fan_out", nonlinearity="relu")


class _Residual(nn.Module):
    """Stem, stages, and the mean over places: (B, C, Y, X) to (B, ``features``)."""

    def __init__(self, given: int, channels: int, blocks: tuple[int, ...], narrow: bool, small: bool):
        super().__init__()
        self.stem = nn.Sequential(
            Filters(given, channels, 3) if small else Filters(given, channels, 7, 2),
            ImageBatchNorm(channels),
            nn.ReLU(inplace=True),
            nn.Identity() if small else nn.MaxPool2d(3, 2, 1),
        )
        body: list[nn.Module] = []
        before = channels
        for stage, count in enumerate(blocks):
            inner = channels * 2**stage
            after = inner * NARROWING if narrow else inner
            for at in range(count):
                body.append(_Block(before, inner, after, 2 if stage and not at else 1))
                before = after
        self.body = nn.Sequential(*body)
        self.features = before

    def forward(self, x_BCYX: Tensor) -> Tensor:
        return self.body(self.stem(x_BCYX)).mean((2, 3))


class Branch(nn.Sequential):
    """Convolutions, each with its norm, that make a correction of what they see: two, or three of a bottleneck."""

    def __init__(self, before: int, inner: int, after: int, stride: int):
        if after == inner:
            shapes = [(before, inner, 3, stride), (inner, after, 3, 1)]
        else:
            shapes = [(before, inner, 1, 1), (inner, inner, 3, stride), (inner, after, 1, 1)]
        steps: list[nn.Module] = []
        for come, go, side, step in shapes:
            steps += [Filters(come, go, side, step), ImageBatchNorm(go), nn.ReLU(inplace=True)]
        super().__init__(*steps[:-1])

    @property
    def last_norm(self) -> ImageBatchNorm:
        norm = self[-1]
        assert isinstance(norm, ImageBatchNorm)
        return norm


class _Block(nn.Module):
    def __init__(self, before: int, inner: int, after: int, stride: int):
        super().__init__()
        self.branch = Branch(before, inner, after, stride)
        plain = before == after and stride == 1
        self.plain = nn.Identity() if plain else nn.Sequential(Filters(before, after, 1, stride), ImageBatchNorm(after))
        self.drop_path = DropPath()
        self.activate = nn.ReLU(inplace=True)

    def forward(self, x_BCYX: Tensor) -> Tensor:
        return self.activate(self.plain(x_BCYX) + self.drop_path(self.branch(x_BCYX)))
