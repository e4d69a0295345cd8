"""Images on their way to a network: rows of one array, perhaps mapped, gathered when a batch asks."""

# N images in the array, M rows of it, H height, W width, C channels

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

AT_ONCE_BYTES = 2**26
"""Of images that go to another device together: the rest of them stays where it is mapped from meanwhile."""

Step = Callable[[Tensor], Tensor]
"""Makes other images of images (M, H, W, C) uint8, each by itself: the same whichever are beside it."""


@dataclass(frozen=True, eq=False)
class Pixels:
    """Images ``values`` (N, H, W, C) uint8, of which row i is that at ``index[i]`` (M,) int64, after ``steps``.

    Nothing is copied until ``taken``: images that are mapped from a file are read then, and only those.
    """

    values: Tensor
    index: Tensor
    steps: tuple[Step, ...] = ()

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, index: Tensor | slice) -> Pixels:
        """Rows by position (M,), by mask (N,) or by slice."""
        return replace(self, index=self.index[index if isinstance(index, slice) else index.to(self.index.device)])

    @property
    def device(self) -> torch.device:
        return self.values.device

    @property
    def nbytes(self) -> int:
        """What the rows take when they are gathered, before any step."""
        return len(self) * self.values[0].numel()

    def then(self, step: Step) -> Pixels:
        """The same images with one more step to go through when they are gathered."""
        return replace(self, steps=(*self.steps, step))

    def to(self, device: torch.device) -> Pixels:
        """The rows on another device, where they are all gathered, a few at a time; numbers of rows go along."""
        if device == self.device:
            return self
        values = self.values.new_empty((len(self), *self.values.shape[1:]), device=device)
        at_once = max(1, AT_ONCE_BYTES // max(1, values[:1].numel()))
        for start in range(0, len(self), at_once):
            index = self.index[start : start + at_once].to(self.device)
            values[start : start + at_once] = self.values.index_select(0, index).to(device)
        return replace(self, values=values, index=torch.arange(len(self), device=device))

    def taken(self) -> Tensor:
        """The images themselves (M, H, W, C) uint8."""
        images = self.values.index_select(0, self.index.to(self.device))
        for step in self.steps:
            images = step(images)
        return images


def stepped(images: Any, step: Step) -> Any:
    """Images with one more step: ``Pixels`` take it when they are gathered, a tensor (M, H, W, C) now."""
    return images.then(step) if isinstance(images, Pixels) else step(images)


def one_after_another(pieces: Sequence[Pixels]) -> Pixels:
    """Rows of one array, which all pieces are of."""
    return replace(pieces[0], index=torch.cat([piece.index for piece in pieces]))
