"""What a recipe's augmentations make of given images, for people to look at."""

# N images, H height, W width, C channels

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from aurify.blocks.picture import PIXELS, floats
from aurify.core.parts import Technique, Trait, fills
from aurify.core.recipe import Recipe
from aurify.core.rng import Draws
from aurify.core.run import Problem, Run
from aurify.core.types import Batch, Input, Signature


@dataclass(frozen=True)
class _Shown:
    """As much of a problem as techniques that change images ask for."""

    signature: Signature
    traits: frozenset[Trait] = field(default_factory=frozenset)


def shown_by(recipe: Recipe) -> tuple[Technique, ...]:
    """The techniques of a recipe that change how images look while a network learns."""
    return tuple(
        t
        for t in recipe.techniques
        if t.family == "augmentation" and fills(t, "on_batch") and t.needs & {Trait.IMAGES, Trait.BLENDABLE}
    )


@torch.no_grad()
def augmented(
    recipe: Recipe, inputs: Mapping[str, np.ndarray], target: np.ndarray, seed: int, draws: int
) -> list[np.ndarray]:
    """What training shows of ``inputs`` {name: images (N, H, W, C) uint8}: as they are first, then ``draws`` times.

    Each is (N, H, W, C) uint8. ``target`` is (N, K) probabilities or (N,) numbers; images are mixed with one another
    where the recipe mixes some. The same seed gives the same images.
    """
    name, images = next((name, values) for name, values in inputs.items() if values.ndim == 4)
    techniques = copy.deepcopy(shown_by(recipe))
    signature = Signature({name: Input(PIXELS, images.shape[1:], (name,))}, 1)
    problem = cast(Problem, _Shown(signature))
    device = torch.device("cpu")
    run = Run(replace(recipe, seed=seed), nn.Identity(), problem, techniques, draws, device, Draws(seed))
    asked = Batch(
        {name: torch.from_numpy(np.array(images))},
        torch.from_numpy(np.array(target)).float(),
        torch.arange(len(images)),
    )
    shown = [images]
    for run.step in range(draws):
        batch = asked
        for technique in techniques:
            batch = technique.on_batch(batch, run)
        shown.append(_bytes(_mixed(batch, name)))
    return shown


def _mixed(batch: Batch, name: str) -> Tensor:
    own: Any = floats(batch.inputs[name])
    if batch.blend is None:
        return own
    return torch.lerp(floats(batch.blend.inputs[name]), own, batch.blend.share.view(-1, 1, 1, 1))


def _bytes(images: Tensor) -> np.ndarray:
    return (images.float() * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
