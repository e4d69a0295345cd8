"""A model that answers for several views says the mean of what it says of each."""

import torch
from imaged import images_of
from small import same

from aurify.blocks.picture import floats
from aurify.core.recipe import Recipe
from aurify.training import fit as loop


def model_with(lab, network="convnet", **settings):
    recipe: Recipe = lab.recipe("image", {"test_time_augmentation": settings, "flip": {}}, network={"name": network})
    torch.manual_seed(0)
    return recipe, loop.build(recipe, lab.problem(recipe).signature)


def asked(lab, model, images):
    recipe = lab.recipe("image")
    inputs, _ = lab.problem(recipe).unseen
    rows = {name: values[: len(images)] for name, values in inputs.items() if name != "images"}
    with torch.no_grad():
        return model({"images": images, **rows}, None)


def test_answer_is_the_mean_of_the_probabilities_of_each_view(lab):
    images = floats(images_of(5, 12, 12))
    recipe, averaged = model_with(lab, mirror=True, shift=1)
    _, plain = model_with(lab, mirror=False, shift=0)
    assert same(averaged.state_dict(), plain.state_dict())
    padded = torch.nn.functional.pad(images, [1] * 4, mode="replicate")
    views = [images, padded[:, :, :12, :12], padded[:, :, 2:, 2:]]
    views += [view.flip(3) for view in views]
    averaged.eval(), plain.eval()
    expected = torch.stack([asked(lab, plain, view).softmax(1) for view in views]).mean(0)
    torch.testing.assert_close(recipe.task.answers(asked(lab, averaged, images)), expected)


def test_members_trained_side_by_side_are_averaged_too(lab):
    images = images_of(4, 12, 12)
    recipe, averaged = model_with(lab, "tabm", mirror=True)
    _, plain = model_with(lab, "tabm", mirror=False)
    averaged.eval(), plain.eval()
    views = [recipe.task.merge(asked(lab, plain, view)).softmax(1) for view in (images, images.flip(2))]
    torch.testing.assert_close(asked(lab, averaged, images).softmax(1), torch.stack(views).mean(0))


def test_mirrored_images_get_the_same_answer(lab):
    images = images_of(4, 12, 12)
    _, model = model_with(lab, mirror=True, shift=0)
    model.eval()
    torch.testing.assert_close(asked(lab, model, images), asked(lab, model, images.flip(2)))


def test_training_sees_each_image_once(lab):
    images = images_of(4, 12, 12)
    _, averaged = model_with(lab, mirror=True, shift=2)
    _, plain = model_with(lab, mirror=False)
    assert same(asked(lab, averaged.train(), images), asked(lab, plain.train(), images))


def test_what_training_does_not_mirror_is_not_answered_in_a_mirror(lab):
    """Whoever leaves flip out says that left and right differ."""
    images = images_of(4, 12, 12)
    for flip in ({}, {"flip": {"direction": "vertical"}}, {"flip": {"chance": 0.0}}):
        recipe = lab.recipe("image", {"test_time_augmentation": {}, **flip}, network={"name": "convnet"})
        model = loop.build(recipe, lab.problem(recipe).signature).eval()
        plain = loop.build(lab.recipe("image", network={"name": "convnet"}), lab.problem(recipe).signature).eval()
        assert same(asked(lab, model, images), asked(lab, plain, images))
