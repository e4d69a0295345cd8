"""The plain models of images that a network must beat: a linear model on small images, and those of tables."""

# n training examples, m test examples, K classes

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

import numpy as np

from aurify.data.image_form import IMAGES
from aurify.data.prepare import weights
from aurify.data.schema import Schema
from aurify.data.small_gray import AT_ONCE, averaging
from aurify.data.store import Asked
from aurify.measure.baselines import fit_baselines
from aurify.measure.examples import examples_of
from aurify.measure.predictions import Predictions

SIDE = 16
"""Images are as small as this when a linear model looks at them."""

MOST_LEARNT = 10_000


def fit_image_baselines(
    train: Asked, test: Asked, schema: Schema, *, hidden: Collection[str], seed: int, check: Callable[[], None]
) -> dict[str, Predictions]:
    """Fit the baselines on ``train`` and answer for ``test``; ``check`` is called between them and may raise to stop.

    ``majority`` (class shares) or ``mean``; ``linear``: logistic or ridge regression on the pixels of images made as
    small as 16 x 16, of at most 10,000 rows, with the columns beside the images; where there are some, ``boosting`` on
    these alone. Images that are ``hidden`` are not looked at.
    """
    train = replace(train, rows=train.rows[weights(train.roles, train.rows) > 0])
    step = max(1, -(-len(train.rows) // MOST_LEARNT))
    train = replace(train, rows=train.rows[::step])
    known, asked = (examples_of(each, schema, hidden) for each in (train, test))
    beside = known.numbers.shape[1] + known.codes.shape[1] > 0
    shared: dict[str, Any] = {"classes": schema.classes, "seed": seed, "check": check}
    trees = fit_baselines(known, asked, kinds=("boosting",), **shared) if beside else {}
    if schema.image is not None and schema.image.name not in hidden:
        small = (small_images(each.inputs[IMAGES], each.rows) for each in (train, test))
        known, asked = (
            replace(each, numbers=np.concatenate([each.numbers, pixels], axis=1))
            for each, pixels in zip((known, asked), small, strict=True)
        )
    return {**fit_baselines(known, asked, kinds=("linear",), **shared), **trees}


def small_images(images: np.ndarray, rows: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Means over areas of each image's pixels (n, at most side * side * C) float64 in [0, 1]."""
    down, across = (averaging(each, min(side, each)) for each in images.shape[1:3])
    pieces = []
    for start in range(0, len(rows), AT_ONCE):
        planes = images[rows[start : start + AT_ONCE]].astype(np.float32).transpose(0, 3, 1, 2)
        pieces.append((down @ planes @ across.T).reshape(len(planes), -1) / 255)
    return np.concatenate(pieces).astype(np.float64)
