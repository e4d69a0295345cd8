"""What techniques share that change the images of a batch while a network learns."""

# B batch, H height, W width, C channels

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from aurify.blocks.image_moves import after, moved, moved_exactly
from aurify.blocks.picture import PIXELS, floats
from aurify.core.each import edited
from aurify.core.parts import Technique, Trait
from aurify.core.run import Run
from aurify.core.types import Batch


def images_of(run: Run) -> str | None:
    """The name of the input that is images; None where the network is given none."""
    return next((name for name, given in run.problem.signature.inputs.items() if given.kind == PIXELS), None)


@dataclass(kw_only=True)
class ImageEdit(Technique):
    """A technique that changes the images of each batch, a draw for each, and nothing else."""

    family = "augmentation"
    needs = frozenset({Trait.IMAGES})
    stacks = True

    @property
    def on(self) -> bool:
        """Whether the settings ask for anything."""
        return any(getattr(self, name) != value for name, value in self.neutral.items())

    def edit(self, images: Tensor, run: Run) -> Tensor:
        """Change (B, H, W, C) bytes, or (B, C, H, W) numbers in [0, 1]; either may come out."""
        raise NotImplementedError

    def on_batch(self, batch: Batch, run: Run) -> Batch:
        name = images_of(run)
        if not self.on or name is None:
            return batch
        return edited(batch, run, lambda inputs, run: {**inputs, name: self.edit(inputs[name], run)})


@dataclass(kw_only=True)
class ImageMove(ImageEdit):
    """A technique that says where pixels come from; all that are on act together, in one resampling.

    Those that move by whole pixels and mirror are ``exact``: if all are, no value is changed.
    """

    order = -30
    exact: ClassVar[bool] = False

    def moves(self, count: int, height: int, width: int, random: torch.Generator) -> Tensor:
        """A matrix for each of ``count`` images (count, 2, 3), as ``blocks.image_moves`` has them."""
        raise NotImplementedError

    def edit(self, images: Tensor, run: Run) -> Tensor:
        together = [t for t in run.techniques if isinstance(t, ImageMove) and t.on]
        if together[0] is not self:
            return images  # the first one has moved for all of them
        height, width = images.shape[1:3] if images.dtype == torch.uint8 else images.shape[2:]
        each = [t.moves(len(images), height, width, run.random(t.name())) for t in together]
        move = each[0]
        for second in each[1:]:
            move = after(move, second)
        return moved_exactly(images, move) if all(t.exact for t in together) else moved(floats(images), move)
