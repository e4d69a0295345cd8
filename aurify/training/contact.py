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
from aurify.core.types import Batch, Input, Signature, View


@dataclass(frozen=True)
class _Shown:
    """As much of a problem as techniques that change images ask for."""

    signature: Signature
    seeds: tuple[int, ...]
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

    The first is (N, H, W, C) uint8; the others are as large as the recipe makes images. ``target`` is (N, K)
    probabilities or (N,) numbers; images are mixed with one another where the recipe mixes some. The same seed gives
    the same images.
    """
    name, images = next((name, values) for name, values in inputs.items() if values.ndim == 4)
    view = _prepared(recipe, name, torch.from_numpy(np.array(images)))
    asked = Batch(view.values, torch.from_numpy(np.array(target)).float(), torch.arange(len(images)))
    problem, techniques = cast(Problem, _Shown(Signature(view.inputs, 1), (seed,))), copy.deepcopy(shown_by(recipe))
    device = torch.device("cpu")
    run = Run(replace(recipe, seed=seed), nn.Identity(), problem, techniques, max(1, draws), device, Draws(seed))
    shown = [images]
    for run.step in range(draws):
        batch = asked
        for technique in techniques:
            batch = technique.on_batch(batch, run)
        shown.append(_bytes(_mixed(batch, name)))
    return shown


def _prepared(recipe: Recipe, name: str, images: Tensor) -> View:
    """The images as techniques that prepare images alone leave them."""
    count = len(images)
    inputs, values = {name: Input(PIXELS, tuple(images.shape[1:]), (name,))}, {name: images}
    view = View(inputs, values, torch.zeros(count), None, 0, torch.ones(count))
    for technique in recipe.techniques:
        if technique.family == "images" and (layer := technique.layer(view)) is not None:
            view = replace(view, inputs=layer.inputs(view.inputs), values=layer(dict(view.values)))
    return view


def _mixed(batch: Batch, name: str) -> Tensor:
    own: Any = floats(batch.inputs[name])
    if batch.blend is None:
        return own
    return torch.lerp(floats(batch.blend.inputs[name]), own, batch.blend.share.view(-1, 1, 1, 1))


def _bytes(images: Tensor) -> np.ndarray:
    return (images.float() * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()
