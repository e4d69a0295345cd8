"""What explains images: patches that have the effect they have, heat where the network looks, rows never copied."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from aurify.blocks.entries import Flat
from aurify.blocks.picture import floats
from aurify.core.parts import Trait
from aurify.core.types import Input, Signature
from aurify.data.columns import IMAGE, NUMBER, Column
from aurify.data.image_rows import ImageRows, rows_of_input
from aurify.data.schema import Schema
from aurify.measure.contributions import contributions
from aurify.measure.explain import importance
from aurify.measure.grad_cam import grad_cam
from aurify.measure.patches import box, covered_patches, grid
from aurify.measure.places import ImagePlace, every_place
from aurify.measure.predictions import Predictions

ROWS, SIDE = 60, 16


class Corner:
    """A model that goes by how bright the upper left corner of an image is, and by a number."""

    def __init__(self, weight=6.0):
        random = np.random.default_rng(0)
        images = random.integers(0, 40, (ROWS, SIDE, SIDE, 3)).astype(np.uint8)
        images[::2, :4, :4] += 200
        self.weight, self.asked = weight, 0
        self.inputs = {"images": ImageRows(images, np.arange(ROWS)), "numbers": random.normal(size=(ROWS, 1))}
        told = self.respond(self.inputs, np.arange(ROWS))
        self.predictions = Predictions(
            row=np.arange(ROWS),
            target=(np.arange(ROWS) % 2 == 0).astype(np.int64),
            prediction=told.argmax(1),
            probabilities=told,
            classes=("no", "yes"),
        )
        columns = (Column("p", IMAGE, format="16x16x3 crop"), Column("n", NUMBER))
        self.schema = Schema(columns=columns, target="y", classes=("no", "yes"))

    def respond(self, inputs, at):
        self.asked += len(at)
        images = inputs["images"]
        images = images.taken() if isinstance(images, ImageRows) else images
        bright = images[:, :4, :4].mean(axis=(1, 2, 3)) / 255
        chance = 1 / (1 + np.exp(-(self.weight * (bright - 0.4) + inputs["numbers"][:, 0])))
        return np.column_stack([1 - chance, chance])


@pytest.fixture(scope="module")
def model():
    return Corner()


def test_only_patches_that_matter_have_an_effect(model):
    found = covered_patches(model.predictions, model.respond, model.inputs, [0, 1])
    effects = np.array(found[0]["effects"])
    assert effects.shape == (8, 8)
    assert np.abs(effects[3:]).max() == np.abs(effects[:, 3:]).max() == 0
    assert (effects[:2, :2] > 0).all(), "it says yes because the corner is bright"
    assert found[0]["prediction"] == found[0]["target"] == "yes"
    answer, without = found[0]["answer"], np.array(found[0]["without"])
    odds = np.log(answer / (1 - answer)) - np.log(without / (1 - without))
    assert np.allclose(odds, effects, atol=1e-5)
    json.dumps(found, allow_nan=False)


def test_a_label_may_be_asked_about_that_was_not_predicted(model):
    yes, no = covered_patches(model.predictions, model.respond, model.inputs, [0, 0], of=[1, 0])
    assert np.allclose(yes["effects"], -np.array(no["effects"]), atol=1e-5)


def test_numbers_are_explained_in_their_own_unit(model):
    told = model.respond(model.inputs, np.arange(ROWS))[:, 1]
    ours = Predictions(row=np.arange(ROWS), target=told, prediction=told, probabilities=None, classes=None)
    (found,) = covered_patches(ours, lambda i, at: model.respond(i, at)[:, 1], model.inputs, [0], most=4)
    assert np.allclose(found["answer"] - np.array(found["without"]), found["effects"], atol=1e-6)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 3), (16, 16), (28, 5), (7, 200), (129, 64)])
def test_patches_cover_every_pixel_and_are_no_more_than_asked_for(height, width):
    for most in (1, 2, 4, 16, 64):
        down, across = grid(height, width, most)
        assert 1 <= down * across <= most
        for count, length in ((down, height), (across, width)):
            pixels = {at for patch in range(count) for at in range(*box(patch, count, length))}
            gaps = length - len(pixels)
            assert gaps == 0 or count == 1, "one patch alone need not fill the image"


def test_a_slow_model_is_asked_as_often_as_it_is_said(model):
    before = model.asked
    covered_patches(model.predictions, model.respond, model.inputs, [0, 1, 2], most=16)
    assert model.asked - before <= 3 * 17


def test_a_signal_stops_between_images(model):
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        covered_patches(model.predictions, model.respond, model.inputs, [0], check=stop)


def test_choosing_rows_of_images_reads_none_of_them():
    class Untouched(np.ndarray):
        def __getitem__(self, at):
            raise AssertionError("an image was read")

    lying = np.zeros((5, 4, 4, 3), dtype=np.uint8).view(Untouched)
    rows = rows_of_input(lying, np.array([4, 1, 1]))[np.array([True, False, True])]
    assert rows.index.tolist() == [4, 1]
    assert len(ImagePlace(Column("p", IMAGE), "images", 0).replaced({"images": rows}, np.array([0, 0]))["images"]) == 2


def test_an_image_is_shuffled_as_a_whole(model):
    places = every_place(model.schema)
    found = importance(model.predictions, model.respond, model.inputs, places, "log_loss", asks=4000)
    told = {each["column"]: each["value"] for each in found["columns"]}
    assert told["p"] > 0
    deaf = Corner(weight=0.0)
    found = importance(deaf.predictions, deaf.respond, deaf.inputs, places, "log_loss", asks=4000)
    assert {each["column"]: each["value"] for each in found["columns"]}["p"] == 0


def test_what_an_image_added_and_the_rest_sum_to_the_answer(model):
    background = {name: values[np.arange(30)] for name, values in model.inputs.items()}
    found = contributions(model.predictions, model.respond, model.inputs, every_place(model.schema), background)
    for row in found["rows"]:
        total = row["base"] + sum(c["contribution"] for c in row["columns"]) + row["rest"]
        assert total == pytest.approx(row["answer"], abs=1e-4)
        at = row["row"]
        assert row["answer"] == pytest.approx(model.predictions.probabilities[at].max(), abs=1e-4)


class Seeing(nn.Module):
    """Red and blue filters, a mean over each, and one output a colour."""

    def __init__(self, inplace=False, members=0, frozen=True):
        super().__init__()
        self.members = members
        self.conv = nn.Conv2d(3, 2, 3, padding=1, bias=False)
        self.after = nn.ReLU(inplace=inplace)
        self.pool = nn.AdaptiveAvgPool2d(1)
        with torch.no_grad():
            self.conv.weight.zero_()
            self.conv.weight[0, 0, 1, 1] = self.conv.weight[1, 2, 1, 1] = 1.0
        self.requires_grad_(not frozen)

    def forward(self, inputs, blend=None):
        told = self.pool(self.after(self.conv(floats(inputs["images"])))).flatten(1)
        return told[:, None].expand(-1, self.members, -1) if self.members else told


def colours():
    images = np.zeros((2, 8, 8, 3), dtype=np.uint8)
    images[:, 1:3, 1:3, 0] = images[:, 5:7, 5:7, 2] = 255
    return {"images": torch.from_numpy(images)}


@pytest.mark.parametrize("how", [{}, {"inplace": True}, {"members": 3}, {"frozen": False}])
def test_heat_lies_where_the_colour_is_that_the_output_is_about(how):
    network = Seeing(**how)
    heat = grad_cam(network, colours(), "images", torch.tensor([0, 1]))
    assert heat is not None
    assert heat.shape == (2, 8, 8)
    assert heat[0].nonzero().tolist() == [[1, 1], [1, 2], [2, 1], [2, 2]]
    assert heat[1].nonzero().tolist() == [[5, 5], [5, 6], [6, 5], [6, 6]]
    assert all(p.grad is None for p in network.parameters()), "explaining leaves no gradients behind"
    assert not any(m._forward_hooks for m in network.modules())


def test_one_output_is_explained_for_numbers_and_under_no_grad():
    with torch.no_grad():
        heat = grad_cam(Seeing(), colours(), "images", None)
    assert heat is not None
    assert heat[0, 1, 1] > 0
    assert heat[0, 5, 5] == 0


class Twice(Seeing):
    """Asked of each image and of the same one mirrored, as test-time augmentation does."""

    def __init__(self):
        super().__init__()
        self.inner = Seeing()

    def forward(self, inputs, blend=None):
        images = floats(inputs["images"])
        return (self.inner({"images": images}) + self.inner({"images": images.flip(3)})) / 2


def test_of_a_network_that_looks_twice_the_first_look_is_told():
    heat = grad_cam(Twice(), colours(), "images", torch.tensor([0, 0]))
    assert heat is not None
    assert heat[0, 1, 1] > 0
    assert heat[0, 1, 6] == 0


def test_maps_of_a_few_places_are_not_taken_where_there_are_finer_ones():
    network = Seeing()
    network.pool = nn.Sequential(nn.AvgPool2d(4), nn.AdaptiveAvgPool2d(1))
    heat = grad_cam(network, colours(), "images", torch.tensor([0, 1]))
    assert heat is not None
    assert heat.shape == (2, 8, 8)


class Tokens(nn.Module):
    """Patches become tokens at once."""

    def __init__(self, stem):
        super().__init__()
        self.stem, self.mix, self.leave = stem, nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, inputs, blend=None):
        return self.leave(self.mix(self.stem(floats(inputs["images"])).flatten(2).transpose(1, 2)).mean(1))


def test_networks_without_maps_of_their_own_have_no_heat():
    asked, of = colours(), torch.tensor([0, 1])
    assert grad_cam(Tokens(nn.Conv2d(3, 4, 4, stride=4)), asked, "images", of) is None
    assert grad_cam(Tokens(nn.Conv2d(3, 4, 3)), asked, "images", of) is None

    class Table(nn.Module):
        def __init__(self):
            super().__init__()
            self.enter = Flat(Input("pixels", (8, 8, 3), ("p",)))
            self.leave = nn.Linear(self.enter.width, 2)

        def forward(self, inputs, blend=None):
            return self.leave(self.enter(inputs["images"]))

    assert grad_cam(Table(), asked, "images", of) is None


def test_a_network_that_fails_keeps_no_hooks():
    network = Seeing()
    network.pool.forward = lambda x: 1 / 0
    with pytest.raises(ZeroDivisionError):
        grad_cam(network, colours(), "images", None)
    assert not any(m._forward_hooks for m in network.modules())


def image_networks(catalog):
    return sorted(
        n
        for n, part in catalog.parts["network"].items()
        if part.needs & {Trait.IMAGES, Trait.PICTURES} and not n.startswith("pretrained")
    )


def test_every_network_of_images_tells_where_it_looks_or_that_it_cannot(catalog):
    told = {}
    signature = Signature({"images": Input("pixels", (32, 24, 3), ("p",))}, 2)
    for name in image_networks(catalog):
        network = catalog.parts["network"][name]().build(signature).eval().requires_grad_(False)
        heat = grad_cam(network, {"images": torch.randint(0, 256, (2, 32, 24, 3), dtype=torch.uint8)}, "images", None)
        told[name] = heat is not None
        if heat is not None:
            assert heat.shape[0] == 2
            assert min(heat.shape[1:]) > 1
            assert torch.isfinite(heat).all()
    assert told.get("convnet") is True
    assert not told.get("vit", False)
