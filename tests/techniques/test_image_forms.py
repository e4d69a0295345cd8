"""Images in another form: as Pillow makes it, read lazily, the same in ONNX and after saving."""

import numpy as np
import pytest
import torch
from imaged import images_of
from PIL import Image

from aurify.core.pixels import Pixels
from aurify.core.types import Input, View
from aurify.techniques.image_forms import Binarise, Crop, Grayscale, Pad, Resize
from aurify.techniques.normalize import Normalize

FORMS = [
    Resize(side=7),
    Resize(side=31),
    Crop(share=0.6),
    Pad(share=0.2, shade=1.0),
    Grayscale(),
    Grayscale(method="mean"),
    *(Binarise(method=method) for method in ("otsu", "threshold", "adaptive")),
]
EVERY = pytest.mark.parametrize(
    "technique", FORMS, ids=lambda t: "-".join(map(str, (t.name(), *t.settings().values())))
)


def view_of(images):
    pixels = Pixels(images, torch.arange(len(images)))
    given = Input("pixels", tuple(images.shape[1:]), ("picture",))
    count = len(images)
    return View({"images": given}, {"images": pixels}, torch.zeros(count), None, 0, torch.ones(count))


def formed(technique, images):
    """The images as the layer makes them, and the input it describes."""
    view = view_of(images)
    layer = technique.layer(view)
    return layer({"images": view.values["images"]})["images"], layer.inputs(view.inputs)["images"], layer


@pytest.mark.parametrize("shape", [(5, 12, 20, 3), (5, 20, 12, 1)])
@EVERY
def test_what_comes_out_has_the_form_it_says_whether_gathered_or_asked_directly(technique, shape):
    images = images_of(*shape)
    if technique.layer(view_of(images)) is None:
        assert shape[3] == 1
        return
    pixels, described, layer = formed(technique, images)
    assert described.shape == tuple(pixels.taken().shape[1:])
    assert pixels.taken().dtype == torch.uint8
    again = type(layer)(**layer.config, **layer.tensors())
    for index in (torch.tensor([3, 1]), torch.tensor([4])):
        assert torch.equal(pixels[index].taken(), again({"images": images[index]})["images"])


def test_resized_images_are_those_of_pillow():
    y, x = torch.meshgrid(torch.arange(40.0), torch.arange(60.0), indexing="ij")
    images = (128 + 100 * (x / 9).sin() * (y / 7).cos()).to(torch.uint8)[None, :, :, None].expand(-1, -1, -1, 3)
    for side, size in ((16, (24, 16)), (53, (80, 53))):
        ours = formed(Resize(side=side), images.contiguous())[0].taken()[0].numpy()
        theirs = Image.fromarray(images[0].numpy()).resize(size, Image.Resampling.BILINEAR)
        assert np.abs(ours.astype(int) - np.asarray(theirs, dtype=int)).max() <= 1


def test_gray_is_that_of_pillow():
    images = images_of(3)
    ours = formed(Grayscale(), images)[0].taken()
    for own, image in zip(ours, images, strict=True):
        assert np.array_equal(own[..., 0].numpy(), np.asarray(Image.fromarray(image.numpy()).convert("L")))


def test_middle_is_kept_and_edges_are_even():
    images = images_of(2, 10, 20)
    assert torch.equal(formed(Crop(share=0.5), images)[0].taken(), images[:, 2:7, 5:15])
    padded = formed(Pad(share=0.1, shade=1.0), images)[0].taken()
    assert torch.equal(padded[:, 1:-1, 2:-2], images)
    assert (padded[:, 0] == 255).all()
    assert (padded[:, :, -2:] == 255).all()


def test_otsu_finds_the_gap_of_each_image_by_itself():
    random = np.random.default_rng(0)
    images, written = [], random.random((4, 20, 20)) < 0.2
    for ink, paper, mask in zip((10, 60, 140, 30), (90, 120, 230, 50), written, strict=True):
        images.append(np.where(mask, ink, paper) + random.integers(-5, 6, mask.shape))
    images = torch.from_numpy(np.stack(images)[..., None].astype(np.uint8))
    white = formed(Binarise(), images)[0].taken()[..., 0].numpy()
    assert np.array_equal(white == 0, written)


def test_even_images_keep_to_the_side_they_are_on():
    images = torch.stack([torch.full((6, 6, 1), shade, dtype=torch.uint8) for shade in (0, 255)])
    for method in ("otsu", "threshold"):
        assert torch.equal(formed(Binarise(method=method), images)[0].taken(), images)


def test_adaptive_threshold_reads_through_a_shadow():
    random = np.random.default_rng(1)
    light = np.linspace(60, 230, 60)[None, :].repeat(60, 0)
    written = random.random((60, 60)) < 0.1
    images = torch.from_numpy(np.where(written, light * 0.7, light)[None, ..., None].astype(np.uint8))
    for method, most in (("adaptive", 0.0), ("otsu", 1.0)):
        white = formed(Binarise(method=method, window=0.2, offset=0.02), images)[0].taken()[0, ..., 0].numpy()
        wrong = ((white == 0) != written)[6:-6, 6:-6].mean()
        assert wrong <= most
        assert method == "adaptive" or wrong > 0.2


def test_images_that_fit_already_and_images_that_are_absent_need_no_layer():
    view = view_of(images_of(2, 12, 20, 1))
    assert Resize(side=12).layer(view) is None
    assert Grayscale().layer(view) is None
    bare = View({}, {}, view.target, None, 0, view.weight)
    assert all(technique.layer(bare) is None for technique in FORMS)


def test_normalize_measures_the_images_as_they_come_out():
    images = images_of(40)
    _, described, layer = formed(Binarise(), images)
    view = view_of(images)
    after = View({"images": described}, layer(dict(view.values)), view.target, None, 0, view.weight)
    fitted = Normalize().layer(after)
    assert fitted.centre.shape == (1,)
    white = after.values["images"].taken().float().mean() / 255
    torch.testing.assert_close(fitted.centre[0], white)
