"""Images grow while training, on networks that take them at any size."""

from dataclasses import replace

import pytest
import torch
from imaged import batch_of, changed, images_of, run_of

from aurify.blocks.picture import floats
from aurify.core.errors import AurifyError
from aurify.core.types import Blend
from aurify.techniques.progressive_resizing import ProgressiveResizing

HALF = ProgressiveResizing(start=0.5, until=0.6)


def test_sides_grow_in_four_steps_and_are_whole_in_the_end():
    images = images_of(2, 32, 64)
    sizes = [tuple(changed(images, HALF, progress=at / 100).shape[-2:]) for at in range(60)]
    assert sorted(set(sizes)) == [(16, 32), (20, 40), (24, 48), (28, 56)]
    assert sizes == sorted(sizes)
    assert changed(images, HALF, progress=0.6) is images


def test_smaller_images_show_the_same_and_the_smallest_are_not_made_smaller():
    even = torch.full((2, 32, 32, 3), 100, dtype=torch.uint8)
    torch.testing.assert_close(changed(even, HALF, progress=0.0), torch.full((2, 3, 16, 16), 100 / 255))
    assert changed(images_of(2, 9, 6), HALF, progress=0.0).shape[-2:] == (8, 6)


def test_half_precision_keeps_its_type():
    images = floats(images_of(2, 32, 32))
    half = changed(images.bfloat16(), HALF, progress=0.0)
    assert half.dtype == torch.bfloat16
    torch.testing.assert_close(half.float(), changed(images, HALF, progress=0.0), atol=0.01, rtol=0)


def test_partners_of_a_blend_have_the_same_size():
    batch = batch_of(images_of(4, 32, 32))
    blended = replace(batch, blend=Blend({"images": images_of(4, 32, 32, seed=1)}, torch.ones(4)))
    after = HALF.on_batch(blended, run_of([HALF], progress=0.0))
    assert after.inputs["images"].shape == after.blend.inputs["images"].shape == (4, 3, 16, 16)


def test_network_of_one_size_is_refused_by_name(lab):
    with pytest.raises(AurifyError, match="images of any size, such as resnet, which 'convnet' is not"):
        lab.recipe("image", {"progressive_resizing": {}}, network={"name": "convnet"})


def test_network_learns_from_growing_images_beside_all_that_changes_them(lab):
    techniques = {"progressive_resizing": {}, "flip": {}, "rotate": {}, "random_erasing": {}, "cutmix": {"chance": 1.0}}
    recipe = lab.recipe("image", techniques, network={"name": "resnet", "depth": 8, "channels": 4})
    assert all(torch.isfinite(value).all() for value in lab.fitted(recipe).weights().values())
