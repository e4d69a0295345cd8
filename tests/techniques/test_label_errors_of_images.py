"""Planted label errors of images are found by the images, and no copy of an image gives its label away."""

import numpy as np
import pytest
import torch

from aurify.core.pixels import Pixels
from aurify.core.types import Input, RowPlan, View
from aurify.measure.image_features import feature_answers
from aurify.techniques.label_errors import CleanLabels, _keys

pytest.importorskip("cleanlab")

SIDE = 24


def striped(count=240, seed=0):
    """A View of images with stripes across or down in noise, a tenth of them labelled wrongly; and which those are."""
    random = np.random.default_rng(seed)
    truth = random.integers(0, 2, count)
    wave = 60 * np.sign(np.sin(np.arange(SIDE) * 2 * np.pi / random.integers(4, 9, count)[:, None]))
    stripes = np.where(truth[:, None, None] == 1, wave[:, :, None], wave[:, None, :])
    images = (128 + stripes + random.normal(0, 40, (count, SIDE, SIDE))).clip(0, 255).astype(np.uint8)[..., None]
    wrong = np.arange(count) < count // 10
    return view_of(images, np.where(wrong, 1 - truth, truth)), wrong


def view_of(images, target):
    pixels = Pixels(torch.from_numpy(images), torch.arange(len(images)))
    inputs = {"images": Input("pixels", images.shape[1:], ("photo",))}
    weight = torch.ones(len(images), dtype=torch.float64)
    return View(inputs, {"images": pixels}, torch.from_numpy(target), ("a", "b"), 0, weight)


def plan(view):
    return RowPlan(torch.arange(len(view)), view.weight)


@pytest.mark.slow
def test_most_planted_errors_go_and_few_others():
    view, wrong = striped()
    kept = CleanLabels(share=0.3).rows(view, plan(view)).index
    gone = ~np.isin(np.arange(len(view)), kept)
    assert (gone & wrong).sum() > 0.5 * wrong.sum()
    assert (gone & ~wrong).sum() < 0.05 * (~wrong).sum()


def test_near_copies_of_an_image_share_a_fold():
    from PIL import Image

    random = np.random.default_rng(1)
    photos = np.stack([smooth(random) for _ in range(30)])
    again = [np.asarray(Image.fromarray(p).resize((20, 20)).resize((SIDE, SIDE))) for p in photos[:5]]
    keys = _keys(view_of(np.concatenate([photos, again]), np.arange(35) % 2), np.arange(35))
    assert np.array_equal(keys[30:], keys[:5])
    assert len(np.unique(keys)) == 30


def smooth(random):
    from PIL import Image

    small = random.integers(0, 256, (5, 5, 3), dtype=np.uint8)
    fine = np.asarray(Image.fromarray(small).resize((SIDE, SIDE), Image.Resampling.BICUBIC)).astype(int)
    return (fine + 25 * random.normal(size=fine.shape)).clip(0, 255).astype(np.uint8)


def test_hidden_images_say_nothing_about_labels():
    view, _ = striped(40)
    black = view_of(np.zeros((1, SIDE, SIDE, 1), dtype=np.uint8), np.zeros(1, dtype=np.int64)).values["images"]
    values = {"images": black[torch.zeros(40, dtype=torch.int64)], "numbers": torch.arange(40.0).double()[:, None]}
    hidden = View(
        {**view.inputs, "numbers": Input("numbers", (1,), ("x",))}, values, view.target, ("a", "b"), 0, view.weight
    )
    assert len(np.unique(_keys(hidden, np.arange(40)))) == 40


def test_one_family_alone_is_answered_as_if_nothing_were_known():
    likely = feature_answers(torch.randn(6, 4), np.arange(6) % 2, np.zeros(6, dtype=np.int64), 2)
    assert np.allclose(likely, 0.5)
