"""Images of the rows that are looked at: what their files say, which are equal, which are copies, how they look."""

# N rows of the store

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aurify.data.copies import first_alike, image_keys
from aurify.data.image_facts import ImageFacts, facts_of
from aurify.data.image_form import IMAGES, Form
from aurify.data.images import decoded
from aurify.data.small_gray import small_gray
from aurify.data.store import COPIES
from aurify.inspection.inspected import Inspected
from aurify.measure.image_features import feature_answers, patch_features

SIDE = 32
"""Of the small gray images that are looked at."""

MOST_ANSWERED = 10_000
"""Rows for which a plain model of images is asked."""

NEAR_TONES = 5
"""Neighbouring grays, of 256, that count as one tone."""


@dataclass(frozen=True, eq=False)
class SeenImages:
    """Of every row (N,) of the store: ``first``, the first row with an equal image; ``family``, that with a near copy.

    ``gray`` (N, S, S) are the images small and gray.
    """

    first: np.ndarray
    family: np.ndarray
    gray: np.ndarray

    def tone(self, rows: np.ndarray) -> np.ndarray:
        """The share of the commonest tone in images of rows by id (n,)."""
        found = np.empty(len(rows))
        for at, image in enumerate(self.gray[rows].reshape(len(rows), -1)):
            sums = np.concatenate([[0], np.cumsum(np.bincount(image, minlength=256))])
            found[at] = (sums[NEAR_TONES:] - sums[:-NEAR_TONES]).max() / image.size
        return found


def images_seen(seen: Inspected) -> SeenImages:
    """For ``Inspected.once``, where there are images."""
    images = seen.store.inputs[IMAGES]
    first = first_alike(image_keys(images)[:, 0])
    return SeenImages(first, seen.store.roles[COPIES], small_gray(images, SIDE))


def facts_seen(seen: Inspected) -> ImageFacts:
    """What the files of all rows (N,) say of themselves; for ``Inspected.once``."""
    image = seen.schema.image
    assert image is not None, "there are no images"
    found = [facts_of(frame[image.name], seen.check) for frame in seen.frames]
    names = ("forms", "modes", "sides", "sizes")
    return ImageFacts(*(np.concatenate([getattr(each, name) for each in found]) for name in names))


def unread(seen: Inspected) -> dict[int, str]:
    """Why images cannot be read, by row id; for ``Inspected.once``. They are black in the store."""
    image, store = seen.schema.image, seen.once(images_seen)
    assert image is not None, "there are no images"
    black = np.flatnonzero(store.gray.max((1, 2)) == 0)
    black = np.array([row for row in black.tolist() if not np.asarray(seen.store.inputs[IMAGES][row]).any()], dtype=int)
    found, start = {}, 0
    for frame in seen.frames:
        rows = black[(black >= start) & (black < start + frame.height)]
        again = decoded(frame[image.name][(rows - start).tolist()], Form.of(image.format)).unread if len(rows) else {}
        found |= {int(rows[at]): why for at, why in again.items()}
        start += frame.height
    return found


def of_images(seen: Inspected) -> np.ndarray:
    """Ids of all rows that are looked at and whose image could be read, ascending; for ``Inspected.once``."""
    return np.setdiff1d(np.union1d(seen.rows, seen.test), np.array(list(seen.once(unread)), dtype=np.int64))


@dataclass(frozen=True, eq=False)
class ImageAnswers:
    """Out-of-fold answers of a linear model on the images alone: for ``at``, places among the sampled rows."""

    at: np.ndarray
    answers: np.ndarray


def answers_to_images(seen: Inspected) -> ImageAnswers:
    """For ``Inspected.once``: answers (m',) or probabilities (m', K) for as many sampled rows as time allows."""
    classes = None if seen.classes is None else len(seen.classes)
    at = seen.drawn(len(seen.sampled), MOST_ANSWERED, "inspect/image answers")
    features = patch_features(seen.store.inputs[IMAGES], seen.sampled.row[at], seen.seed, seen.check)
    answers = feature_answers(features, seen.sampled.target[at], seen.fold[at], classes, seen.check)
    return ImageAnswers(at, answers)
