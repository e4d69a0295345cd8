"""Images as features for plain models, responses to small patches of their own; and what a linear model says."""

# n images, H height, W width, C channels, S side, P patches, F features, K classes

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from aurify.core import rng
from aurify.data.image_rows import ImageRows

SIDE = 32
"""Images are made as small as this, in colours."""

PATCHES, PATCH, STRIDE = 96, 6, 2
"""Random patches of the images themselves that all are compared with, their side, and steps between places."""

POOLS = 3
"""Regions down and across of which responses are the mean."""

AT_ONCE = 256
RIDGES = (0.003, 0.03, 0.3)
"""Penalties tried, by the mean of the squared features."""

SHARPNESS = tuple(float(2 ** (at / 2)) for at in range(-4, 14))
"""Factors tried, by which scores become probabilities."""


def patch_features(
    images: np.ndarray | ImageRows, rows: np.ndarray, seed: int, check: Callable[[], None] = lambda: None
) -> Tensor:
    """Features (n, F) float32 of rows (n,) of images (N, H, W, C) uint8, each of mean 0 and spread 1.

    Each image is compared with whitened random patches everywhere, both ways above a threshold, and the responses are
    averaged over a few regions (Coates & Ng 2012: what is learnt matters less than whitening and many patches). A
    linear model on these sees edges and colours rather than pixels. ``check`` is called now and then and may raise.
    """
    weight, bias = _filters(images, rows, seed)
    found = []
    for at in range(0, len(rows), AT_ONCE):
        check()
        found.append(_responses(_small(images, rows[at : at + AT_ONCE]), weight, bias))
    features = torch.cat(found)
    features -= features.mean(0)
    return features / (features.std(0) + 1e-3)


def _small(images: np.ndarray | ImageRows, rows: np.ndarray) -> Tensor:
    """Images (n, C, S, S) from 0 to 1."""
    some = torch.from_numpy(np.ascontiguousarray(images[rows])).permute(0, 3, 1, 2).float() / 255
    if some.shape[2:] == (SIDE, SIDE):
        return some
    return functional.interpolate(some, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)


def _filters(images: np.ndarray | ImageRows, rows: np.ndarray, seed: int) -> tuple[Tensor, Tensor]:
    """Whitened patches as filters (P, C, k, k), which take the mean of what they see into account, and a bias (P,)."""
    random = np.random.Generator(np.random.PCG64(rng.key(seed, "image patches")))
    count, channels = 50 * PATCHES, images.shape[3]
    chosen, place = np.unique(random.integers(0, len(rows), count), return_inverse=True)
    small, which = _some_small(images, rows[chosen]), torch.from_numpy(place)
    down, across = (torch.from_numpy(random.integers(0, SIDE - PATCH + 1, count)) for _ in range(2))
    offset = torch.arange(PATCH)
    drawn = small[which[:, None, None], :, (down[:, None] + offset)[:, :, None], (across[:, None] + offset)[:, None]]
    drawn = drawn.permute(0, 3, 1, 2).reshape(count, -1)
    centre = torch.eye(drawn.shape[1]) - 1 / drawn.shape[1]  # of each patch its own mean is taken
    drawn = drawn @ centre
    mean = drawn.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov(drawn.T).double())
    whiten = ((vectors / (values + 0.1 * values.mean()).sqrt()) @ vectors.T).float()
    patches = functional.normalize((drawn[:PATCHES] - mean) @ whiten, dim=1)
    seen = (patches @ whiten.T) @ centre
    return seen.reshape(PATCHES, channels, PATCH, PATCH), -(patches @ whiten.T) @ mean


def _some_small(images: np.ndarray | ImageRows, rows: np.ndarray) -> Tensor:
    return torch.cat([_small(images, rows[at : at + AT_ONCE]) for at in range(0, len(rows), AT_ONCE)])


def _responses(small: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Means over regions of what exceeds a threshold, both ways (n, F)."""
    seen = functional.conv2d(small, weight, bias, stride=STRIDE)
    seen = torch.cat([functional.relu(seen - 0.25), functional.relu(-seen - 0.25)], 1)
    return functional.adaptive_avg_pool2d(seen, POOLS).sqrt().flatten(1)


def feature_answers(
    features: Tensor,
    target: np.ndarray,
    fold: np.ndarray,
    classes: int | None,
    check: Callable[[], None] = lambda: None,
) -> np.ndarray:
    """Answers (n,), or probabilities (n, K) for ``classes``, by ridge regression fitted on the other folds (n,).

    Where there are no other folds all answers are 0, or equally likely. Scores become probabilities by a softmax whose
    sharpness is that of the answers out of fold. ``check`` is called
    before each fit and may raise.
    """
    wide = torch.from_numpy(np.eye(classes)[target] if classes is not None else target[:, None]).float()
    answers = torch.zeros_like(wide)
    for each in np.unique(fold).tolist():
        check()
        known = torch.from_numpy(fold != each)
        if not known.any():  # one fold alone: nothing is known
            continue
        answers[~known] = _ridge(features[known], wide[known], features[~known])
    if classes is None:
        return answers[:, 0].double().numpy()
    return _sharpened(answers, torch.from_numpy(target)).double().numpy()


def _ridge(known: Tensor, wide: Tensor, asked: Tensor) -> Tensor:
    """What a linear model says, its penalty chosen by a fifth of what it knows."""
    mean = wide.mean(0)
    inner = torch.arange(len(known)) % 5 > 0
    if len(known) >= 50:
        square, turned = known[inner].T @ known[inner], known[inner].T @ (wide[inner] - mean)
        wrong = [
            float((known[~inner] @ _solved(square, turned, each) + mean - wide[~inner]).square().mean())
            for each in RIDGES
        ]
        best = RIDGES[int(np.argmin(wrong))]
    else:
        best = RIDGES[-1]
    return asked @ _solved(known.T @ known, known.T @ (wide - mean), best) + mean


def _solved(square: Tensor, turned: Tensor, ridge: float) -> Tensor:
    size = square.diagonal().mean()
    return torch.linalg.solve(square + ridge * size * torch.eye(len(square)), turned)


def _sharpened(scores: Tensor, target: Tensor) -> Tensor:
    """Probabilities of the sharpness that makes the classes that are written likeliest."""
    losses = [float(functional.cross_entropy(sharp * scores, target)) for sharp in SHARPNESS]
    return torch.softmax(SHARPNESS[int(np.argmin(losses))] * scores, dim=1)
