"""Moved images show what the old ones show, elsewhere, and each image by a draw of its own."""

import pytest
import torch
from imaged import changed, images_of

from aurify.blocks import image_moves as moving
from aurify.blocks.picture import floats
from aurify.techniques.image_geometry import Flip, Rotate, Shear, Translate, Zoom

FLIP, SHIFT = Flip(chance=0.5), Translate(share=0.3)
NONE, ONE = torch.zeros(4), torch.ones(4)


def smooth(count=4, height=24, width=20, channels=3):
    """Images (B, C, H, W) that change slowly, so that values between pixels are nearly exact."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, height), torch.linspace(-1, 1, width), indexing="ij")
    return torch.stack([0.5 + 0.2 * (1.5 * x + k).sin() * (y + 2 * k).cos() for k in range(count * channels)]).view(
        count, channels, height, width
    )


def test_a_mirror_is_exact_and_half_of_the_images_are_in_it():
    images = images_of(400)
    moved = changed(images, FLIP)
    mirrored = (moved == images.flip(2)).flatten(1).all(1)
    assert torch.equal(moved[~mirrored], images[~mirrored])
    assert 150 < int(mirrored.sum()) < 250
    upside_down = changed(images, Flip(direction="vertical", chance=1.0))
    assert torch.equal(upside_down, images.flip(1))


def test_shifts_are_whole_pixels_up_to_the_share_with_the_edge_mirrored():
    images = images_of(200, 10, 20, 1)
    moved = changed(images, Translate(share=0.2))
    padded = torch.cat([images.flip(1), images, images.flip(1)], 1)
    padded = torch.cat([padded.flip(2), padded, padded.flip(2)], 2)
    seen = set()
    for at in range(len(images)):
        found = [
            (y, x)
            for y in range(-2, 3)
            for x in range(-4, 5)
            if torch.equal(moved[at], padded[at, 10 - y : 20 - y, 20 - x : 40 - x])
        ]
        assert found
        seen.update(found)
    assert {y for y, _ in seen} == set(range(-2, 3))
    assert {x for _, x in seen} == set(range(-4, 5))


def test_whole_pixels_come_out_alike_by_copying_and_by_resampling():
    images = floats(images_of(4))
    move = moving.after(moving.flips(ONE > 0, NONE > 0), moving.shifts(3 * ONE, -2 * ONE))
    torch.testing.assert_close(moving.moved(images, move), moving.moved_exactly(images, move), atol=1e-5, rtol=0)


def test_a_quarter_turn_is_one_and_a_turn_back_undoes_it():
    images = floats(images_of(4, 11, 11))
    torch.testing.assert_close(moving.moved(images, moving.turns(90 * ONE)), images.rot90(1, (2, 3)), atol=1e-5, rtol=0)
    back = moving.after(moving.turns(30 * ONE), moving.turns(-30 * ONE))
    torch.testing.assert_close(back, moving.turns(NONE))


def test_a_turn_is_one_in_pixels_where_sides_differ():
    """On an image twice as wide as high a turned vertical line stays as long as it was."""
    image = torch.zeros(1, 1, 21, 41)
    image[0, 0, 5:16, 20] = 1
    turned = moving.moved(image, moving.turns(torch.tensor([90.0])))
    expected = torch.zeros(1, 1, 21, 41)
    expected[0, 0, 10, 15:26] = 1
    middle = slice(10, 31)  # what is beyond the upper edge is mirrored at the sides
    torch.testing.assert_close(turned[..., middle], expected[..., middle], atol=1e-4, rtol=0)


def test_magnified_things_are_larger_and_shifted_ones_to_the_right_and_down():
    image = torch.zeros(1, 1, 16, 16)
    image[0, 0, 6:10, 6:10] = 1
    assert float(moving.moved(image, moving.zooms(torch.tensor([2.0]))).sum()) == pytest.approx(64, rel=0.15)
    shifted = moving.moved_exactly(image, moving.shifts(torch.tensor([2.0]), torch.tensor([3.0])))
    assert torch.equal(shifted[0, 0, 9:13, 8:12], torch.ones(4, 4))


def test_moves_that_are_on_together_are_one_resampling_of_all():
    """Moved twice an image is blurred twice; moved once by both matrices it is not."""
    images = smooth()
    first, second = moving.turns(20 * ONE), moving.shears(0.2 * ONE, NONE)
    apart = moving.moved(moving.moved(images, first), second)
    together = moving.moved(images, moving.after(first, second))
    inside = (slice(None), slice(None), slice(6, -6), slice(6, -6))
    torch.testing.assert_close(together[inside], apart[inside], atol=0.01, rtol=0)


def test_one_more_move_shifts_no_draw_of_another():
    images = floats(images_of())
    alone, both = changed(images, FLIP), changed(images, FLIP, Zoom(factor=1.0001))
    torch.testing.assert_close(alone, both, atol=0.02, rtol=0)


def test_moves_that_are_off_leave_the_others_exact():
    images = images_of()
    off = (Rotate(degrees=0.0), Zoom(factor=1.0), Shear(degrees=0.0))
    assert torch.equal(changed(images, FLIP, *off, SHIFT), changed(images, FLIP, SHIFT))
    assert changed(images, *off) is images
