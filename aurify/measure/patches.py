"""Which parts of an image an answer hangs on: a model is asked again with each part covered."""

# M rows asked about, H height, W width, C channels, h x w patches

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from aurify.data.image_form import IMAGES
from aurify.measure.bands import plain
from aurify.measure.occlusion import about, log_odds
from aurify.measure.places import Inputs, Respond, rows_of
from aurify.measure.predictions import Predictions

MOST_PATCHES = 64
"""Of one image."""

SMALLEST_PATCH = 2
"""The side of a patch in pixels."""

OVERLAP = 1.5
"""How many times as long as its distance to the next a patch is."""


def covered_patches(
    predictions: Predictions,
    respond: Respond,
    inputs: Inputs,
    rows: Sequence[int],
    *,
    of: Sequence[int] | None = None,
    most: int = MOST_PATCHES,
    check: Callable[[], None] = lambda: None,
) -> list[dict[str, Any]]:
    """What each part of their images adds to the answers for ``rows`` (positions): the answer less the one without it.

    Occlusion (Zeiler & Fergus 2014): a patch is filled with the mean colour of the image, and the model asked again. It
    asks nothing of the model but answers, so that blends and every network are told alike, and its numbers mean what
    they say. Of two parts of which either is enough both seem to do nothing, and what is smaller than a patch is
    blurred.

    Each row has its ``row`` id, ``prediction`` and ``target`` (None where unknown), the ``answer`` (the probability of
    the predicted class, or the number), ``effects`` and ``without`` (h, w): the log-odds of the answer, or the number,
    less those with the patch covered, and that answer itself. ``of`` are the classes, or of several labels a row the
    labels, that each is about; None stands for the predicted classes. A row of several labels has its label as
    ``prediction``, and whether it is ``held`` (None where unknown).
    """
    found, codes = [], predictions.prediction[list(rows)] if of is None else of
    for at, code in zip(rows, codes, strict=True):
        check()
        one = rows_of(inputs, np.array([at]))
        image = np.asarray(one[IMAGES])[0]
        height, width = grid(image.shape[0], image.shape[1], most)
        asked = rows_of({k: v for k, v in one.items() if k != IMAGES}, np.zeros(height * width + 1, dtype=np.int64))
        replies = respond({**asked, IMAGES: _covered(image, height, width)}, np.full(height * width + 1, at))
        told = replies if predictions.classes is None else replies[:, int(code)]
        level = told if predictions.classes is None else log_odds(told)
        effects, without = level[0] - level[1:], told[1:]
        found.append(
            {
                **_about(predictions, at, int(code), float(told[0])),
                "effects": plain(effects.reshape(height, width)),
                "without": plain(without.reshape(height, width)),
            }
        )
    return found


def _about(predictions: Predictions, at: int, code: int, answer: float) -> dict[str, Any]:
    """The row at a position, and what is answered."""
    if not predictions.several:
        return about(predictions, at, answer)
    held = None if predictions.target is None else bool(predictions.target[at, code])
    name = (predictions.classes or ())[code]
    return {"row": int(predictions.row[at]), "target": None, "prediction": name, "held": held, "answer": plain(answer)}


def grid(height: int, width: int, most: int) -> tuple[int, int]:
    """Into how many rows and columns of patches, nearly square and ``most`` in all, an image is parted."""
    side = max(SMALLEST_PATCH, (height * width / max(1, most)) ** 0.5)
    down, across = max(1, int(height / side)), max(1, int(width / side))
    return min(down, max(1, most // across)), min(across, max(1, most))


def box(at: int, count: int, length: int) -> tuple[int, int]:
    """From where to where, of ``length`` pixels, patch ``at`` of ``count`` reaches."""
    step = length / count
    middle, half = (at + 0.5) * step, OVERLAP * step / 2
    return max(0, round(middle - half)), min(length, max(round(middle + half), round(middle - half) + 1))


def _covered(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """The image itself, then with each patch covered (1 + h * w, H, W, C)."""
    every = np.repeat(image[None], height * width + 1, axis=0)
    fill = np.rint(image.mean(axis=(0, 1))).astype(np.uint8)
    for down in range(height):
        top, bottom = box(down, height, image.shape[0])
        for across in range(width):
            left, right = box(across, width, image.shape[1])
            every[1 + down * width + across, top:bottom, left:right] = fill
    return every
