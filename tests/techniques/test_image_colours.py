"""Colours change as Pillow changes them; blur and noise have the strength that they are said to have."""

import numpy as np
import pytest
import torch
from imaged import changed, images_of
from PIL import Image, ImageEnhance, ImageOps

from aurify.blocks import image_colours as colours
from aurify.blocks.image_policy import CHANGES, MODERATE
from aurify.blocks.image_policy import changed as changed_by
from aurify.blocks.picture import floats
from aurify.techniques.image_colour import Blur, ColourJitter, PixelNoise


def patterned(channels=3):
    """Images (4, 84, 66, C) uint8 with dark and bright parts."""
    y, x = torch.meshgrid(torch.linspace(0, 3, 84), torch.linspace(0, 4, 66), indexing="ij")
    each = [60 + 50 * (x + k).sin() * (y - k).cos() + 12 * k for k in range(4 * channels)]
    return torch.stack(each).view(4, channels, 84, 66).permute(0, 2, 3, 1).clamp(0, 255).to(torch.uint8)


REFERENCES = {
    "brightened": lambda image: ImageEnhance.Brightness(image).enhance(1.4),
    "contrasted": lambda image: ImageEnhance.Contrast(image).enhance(1.4),
    "saturated": lambda image: ImageEnhance.Color(image).enhance(1.4),
    "posterized": lambda image: ImageOps.posterize(image, 3),
    "solarized": lambda image: ImageOps.solarize(image, 102),
    "stretched": ImageOps.autocontrast,
    "equalized": ImageOps.equalize,
}
AMOUNTS = {"brightened": 1.4, "contrasted": 1.4, "saturated": 1.4, "posterized": 3, "solarized": 102 / 255}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", REFERENCES)
def test_colours_change_as_in_pillow(name, channels):
    images = patterned(channels)
    amount = (torch.full((4,), float(AMOUNTS[name])),) if name in AMOUNTS else ()
    ours = getattr(colours, name)(floats(images), *amount).permute(0, 2, 3, 1) * 255
    for own, image in zip(ours, images, strict=True):
        array = image.numpy()
        theirs = REFERENCES[name](Image.fromarray(array[..., 0] if channels == 1 else array))
        difference = np.abs(own.numpy() - np.asarray(theirs, dtype=np.float32).reshape(array.shape))
        # Pillow equalizes with whole numbers of pixels a shade
        assert difference.mean() < (8 if name == "equalized" else 1.1), name


def test_amount_of_nothing_changes_nothing():
    images = floats(images_of(4))
    one, none = torch.ones(4), torch.zeros(4)
    for after in (
        colours.brightened(images, one),
        colours.contrasted(images, one),
        colours.saturated(images, one),
        colours.sharpened(images, one),
        colours.hue_turned(images, none),
        colours.hue_turned(images, one),
        colours.blurred(images, none, 1.0),
        colours.posterized(images, 8 * one),
    ):
        torch.testing.assert_close(after, images, atol=2e-3, rtol=0)


def test_turned_hue_keeps_how_bright_a_pixel_is_and_gray_as_it_is():
    images = 0.35 + 0.3 * floats(images_of(4))
    turned = colours.hue_turned(images, torch.full((4,), 0.25))
    torch.testing.assert_close(colours.brightness_of(turned), colours.brightness_of(images), atol=5e-3, rtol=0)
    assert float((turned - images).abs().max()) > 0.1
    gray = images[:, :1].expand(-1, 3, -1, -1)
    torch.testing.assert_close(colours.hue_turned(gray, torch.full((4,), 0.25)), gray, atol=2e-3, rtol=0)


def test_blur_is_a_gaussian_whose_mean_stays():
    spot = torch.zeros(2, 1, 31, 31)
    spot[:, :, 15, 15] = 1
    after = colours.blurred(spot, torch.tensor([1.0, 3.0]), 3.0)
    torch.testing.assert_close(after.sum((1, 2, 3)), torch.ones(2), atol=1e-4, rtol=0)
    place = torch.arange(31.0) - 15
    deviation = (after.sum((1, 2)) * place.square()).sum(1).sqrt()
    torch.testing.assert_close(deviation, torch.tensor([1.0, 3.0]), atol=0.06, rtol=0)


def test_blur_leaves_a_share_of_the_images_alone():
    images = floats(images_of(300))
    same = (changed(images, Blur(chance=0.3, sigma=0.2)) == images).flatten(1).all(1)
    assert 0.6 < float(same.float().mean()) < 0.8


def test_noise_has_no_mean_and_up_to_the_deviation_that_is_set():
    images = torch.full((200, 1, 20, 20), 0.5)
    noise = changed(images, PixelNoise(deviation=0.1)) - images
    assert abs(float(noise.mean())) < 1e-3
    deviations = noise.flatten(1).std(1)
    assert float(deviations.max()) < 0.11
    assert 0.04 < float(deviations.mean()) < 0.06


def test_one_setting_of_colours_shifts_no_draw_of_another():
    images = 0.4 + 0.2 * floats(images_of())
    alone = changed(images, ColourJitter(brightness=0.1, contrast=0, saturation=0, hue=0))
    with_more = changed(images, ColourJitter(brightness=0.1, contrast=1e-5, saturation=1e-5, hue=1e-5))
    torch.testing.assert_close(alone, with_more, atol=2e-3, rtol=0)


@pytest.mark.parametrize("name", CHANGES)
def test_each_change_of_a_policy_acts_on_its_own_images_alone(name):
    images = floats(patterned())
    change = torch.tensor([0, CHANGES.index(name), 0, CHANGES.index(name)])
    after = changed_by(images, change, torch.tensor([0.9, 0.9, -0.9, -0.9]), MODERATE)
    assert torch.equal(after[::2], images[::2])
    assert torch.equal(after[1::2], images[1::2]) == (name == "identity")
