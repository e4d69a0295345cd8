"""Answers that are the mean over several views of each image."""

# B batch, V views, M members trained side by side, K outputs

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aurify.blocks.picture import floats
from aurify.core.parts import Task, Technique, Trait, knob
from aurify.core.recipe import Recipe


@dataclass(kw_only=True)
class TestTimeAugmentation(Technique):
    """Answer with the mean over an image, its mirror image and shifted ones (Krizhevsky et al. 2012).

    It is part of the model: validation, saved models and ONNX graphs answer so, training is as it was. Each view costs
    one more answer. Mirror images answer where ``flip`` lets training see them. Helps: photographs, by a little and
    surely; small networks most. Hurts: speed, and shifts that training does not make (``translate``).
    """

    __test__ = False  # the name is no test's
    family = "answering"
    mirror: bool = knob(True, "answer for the mirror image too, where training mirrors images")
    shift: int = knob(
        0, "answer for images shifted by so many pixels each way along the diagonal", low=0, high=2, legal=(0, 16)
    )
    needs = frozenset({Trait.IMAGES})
    neutral = {"mirror": False, "shift": 0}
    vivid = {"shift": 2}

    def begin(self, model: nn.Module, recipe: Recipe) -> None:
        mirror = self.mirror and any(_mirrors(technique) for technique in recipe.techniques)
        if not mirror and not self.shift:
            return
        views = _Views(mirror, self.shift, recipe.task)
        model.register_forward_pre_hook(views.spread, with_kwargs=True)
        model.register_forward_hook(views.gather)


def _mirrors(technique: Technique) -> bool:
    asked = technique.settings() if technique.name() == "flip" else {"chance": 0.0}
    return asked["chance"] > 0 and asked["direction"] != "vertical"


@dataclass(frozen=True)
class _Views:
    """Puts all views of each image through a network at once, unless it is training."""

    mirror: bool
    shift: int
    task: Task

    @property
    def count(self) -> int:
        return (2 if self.mirror else 1) * (3 if self.shift else 1)

    def spread(self, model: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The inputs (B, ...) of every view, one view after another (V * B, ...)."""
        if model.training:
            return None
        assert len(args) == 1 or args[1] is None, "rows are blended in training only"
        inputs: Mapping[str, Tensor] = args[0]
        return ({name: self._of(values) for name, values in inputs.items()},), kwargs

    def _of(self, values: Tensor) -> Tensor:
        if values.ndim != 4:
            return torch.cat([values] * self.count)
        images = floats(values)
        views = [images]
        if self.shift:
            height, width = images.shape[2:]
            padded = F.pad(images, [self.shift] * 4, mode="replicate")
            far = 2 * self.shift
            views += [padded[:, :, at : at + height, at : at + width] for at in (0, far)]
        if self.mirror:
            views += [view.flip(3) for view in views]
        return torch.cat(views)

    def gather(self, model: nn.Module, args: tuple[Any, ...], output: Tensor) -> Tensor:
        """Outputs (V * B, K), or (V * B, M, K), as one answer for each row (B, K): the mean of what they mean."""
        if model.training:
            return output
        each = output.unflatten(0, (self.count, -1))
        return self.task.merge(each.movedim(0, 1).flatten(1, -2))
