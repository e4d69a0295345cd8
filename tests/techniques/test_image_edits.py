"""Every technique that changes the images of a batch: types, sizes, draws and neighbours."""

import pytest
import torch
from imaged import batch_of, changed, images_of, run_of
from small import one_lab, same

from aurify.blocks.image_edit import ImageEdit
from aurify.blocks.picture import floats

KNOWN = one_lab().catalog.parts["technique"].values()
FULL = [t.make(t.vivid) for t in KNOWN if issubclass(t, ImageEdit) and t.family == "augmentation"]
EVERY = pytest.mark.parametrize("technique", FULL, ids=lambda t: t.name())


def test_there_are_as_many_as_there_should_be():
    assert len(FULL) >= 12


@pytest.mark.parametrize("shape", [(9, 12, 10, 3), (9, 12, 10, 1), (9, 7, 13, 1), (1, 5, 5, 3)])
@EVERY
def test_bytes_and_numbers_come_out_alike_in_their_own_shape(technique, shape):
    images = images_of(*shape)
    after = floats(changed(images, technique))
    assert after.shape == floats(images).shape
    assert torch.equal(after, changed(floats(images), technique))
    assert 0 <= after.min() <= after.max() <= 1 + 1e-6


@EVERY
def test_what_becomes_of_an_image_depends_on_its_place_in_the_batch_and_not_on_its_neighbours(technique):
    images, others = images_of(20, seed=0), images_of(20, seed=1)
    others[2] = images[2]
    assert torch.equal(changed(images, technique)[2], changed(others, technique)[2])
    assert not same(changed(images, technique), changed(images, technique, step=1))
    assert not same(changed(images, technique), changed(images, technique, seed=1))
    assert same(changed(images, technique), changed(images, technique))


@EVERY
def test_images_of_a_batch_come_out_each_its_own_way(technique):
    images = images_of(1).expand(20, -1, -1, -1).clone()
    after = floats(changed(images, technique))
    assert len(after.flatten(1).unique(dim=0)) >= (2 if technique.name() == "flip" else 10)


@EVERY
def test_given_images_and_whatever_else_is_in_the_batch_stay_as_they_are(technique):
    images, numbers = images_of(), torch.ones(6, 2)
    before, batch = images.clone(), batch_of(images)
    for given in (images, floats(images)):
        batch = batch_of(given)
        kept = given.clone()
        after = technique.on_batch(
            type(batch)(**{**vars(batch), "inputs": {"images": given, "numbers": numbers}}), run_of([technique])
        )
        assert torch.equal(given, kept)
        assert after.inputs["numbers"] is numbers
        assert after.target is batch.target
    assert torch.equal(images, before)


@EVERY
def test_half_precision_keeps_its_type_and_is_changed_as_the_rest(technique):
    images = floats(images_of(20))
    half = changed(images.bfloat16(), technique)
    assert half.dtype == torch.bfloat16
    apart = (half.float() - changed(images, technique)).abs().flatten(1).mean(1)
    assert float(apart.median()) < 0.01


@EVERY
def test_a_network_without_images_is_left_alone(technique):
    run, batch = run_of([technique]), batch_of(images_of())
    run.problem.signature.inputs = {}
    assert technique.on_batch(batch, run) is batch
