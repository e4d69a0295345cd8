"""The contact sheet shows what training shows."""

import numpy as np
import torch
from imaged import changed, images_of

from aurify.training.contact import augmented


def sheet(lab, techniques, images, seed=5, draws=3):
    recipe = lab.recipe("image", techniques)
    target = np.eye(3, dtype=np.float32)[np.arange(len(images)) % 3]
    return augmented(recipe, {"images": images.numpy()}, target, seed, draws)


def test_sheet_begins_with_the_images_and_shows_each_draw_as_training_does(lab):
    images = images_of()
    first, *drawn = sheet(lab, {"flip": {}, "translate": {}}, images)
    assert np.array_equal(first, images.numpy())
    assert len(drawn) == 3
    recipe = lab.recipe("image", {"flip": {}, "translate": {}})
    for step, shown in enumerate(drawn):
        assert np.array_equal(shown, changed(images, *recipe.techniques, seed=5, step=step).numpy())


def test_sheet_of_a_recipe_without_augmentation_repeats_the_images(lab):
    images = images_of()
    for shown in sheet(lab, {"normalize": {}, "dropout": {}}, images):
        assert shown.dtype == np.uint8
        assert np.array_equal(shown, images.numpy())


def test_sheet_shows_mixed_images(lab):
    images = torch.cat([torch.zeros(3, 8, 8, 1), torch.full((3, 8, 8, 1), 255)]).to(torch.uint8)
    shown = np.concatenate(sheet(lab, {"mixup": {"alpha": 5.0}}, images)[1:])
    assert ((shown > 0) & (shown < 255)).any()
    assert all(len(np.unique(each)) == 1 for each in shown)


def test_sheet_shows_images_as_preparing_leaves_them(lab):
    images = images_of(4, 12, 12)
    first, drawn, _ = sheet(lab, {"binarise": {}, "crop": {"share": 0.5}, "flip": {}}, images, draws=2)
    assert np.array_equal(first, images.numpy())
    assert drawn.shape == (4, 6, 6, 1)
    assert set(np.unique(drawn)) <= {0, 255}
