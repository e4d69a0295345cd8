"""Images as small as a linear model takes them, and no image where they are hidden."""

import numpy as np
import polars as pl
import pytest

from aurify.data.schema import Schema
from aurify.data.store import Asked
from aurify.measure.image_baselines import fit_image_baselines, small_images


@pytest.mark.parametrize(("height", "width", "channels"), [(28, 28, 1), (31, 47, 3), (10, 40, 3), (32, 32, 3)])
def test_images_become_at_most_sixteen_pixels_to_a_side_and_keep_their_mean(height, width, channels):
    images = np.random.default_rng(0).integers(0, 256, (3, height, width, channels), dtype=np.uint8)
    small = small_images(images, np.array([2, 0]))
    assert small.shape == (2, min(16, height) * min(16, width) * channels)
    assert np.allclose(small.mean(1), images[[2, 0]].mean((1, 2, 3)) / 255, atol=1e-5)
    assert 0 <= small.min() <= small.max() <= 1


def test_a_square_of_pixels_becomes_its_mean():
    images = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 1), dtype=np.uint8)
    means = images.reshape(16, 2, 16, 2).mean((1, 3)).ravel() / 255
    assert np.allclose(small_images(images, np.array([0]))[0], means, atol=1e-6)


def test_hidden_images_help_no_baseline():
    random = np.random.default_rng(0)
    target = np.arange(60) % 2
    images = np.broadcast_to(target[:, None, None, None] * 200, (60, 16, 16, 1)).astype(np.uint8)
    frame = pl.DataFrame({"image": pl.Series(images), "x": random.normal(size=60), "y": np.array(["a", "b"])[target]})
    schema = Schema.infer(frame, "y", (), "auto", beyond={"image"})
    inputs = {"numbers": frame["x"].to_numpy()[:, None], "images": images}
    train, test = (Asked(inputs, target, rows) for rows in (np.arange(40), np.arange(40, 60)))
    found = {
        hidden: fit_image_baselines(train, test, schema, hidden=hidden, seed=0, check=lambda: None)["linear"]
        for hidden in (frozenset(), frozenset({"image"}))
    }
    right = {bool(hidden): (each.prediction == each.target).mean() for hidden, each in found.items()}
    assert right[False] == 1.0
    assert right[True] < 0.8
