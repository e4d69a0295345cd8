"""speednet: any size of image, weights where convolutions are fastest, the same bits after a stop."""

from dataclasses import replace

import pytest
import torch
from small import same

from aurify.blocks.entries import Flat
from aurify.core.types import Input, Signature
from aurify.networks.speednet import Speednet
from aurify.optimizers.muon import Muon, hidden_matrices
from aurify.ship.bundle import Bundle
from aurify.ship.pipeline import Member

RECIPE = {
    "network": {"name": "speednet", "width": 8},
    "optimizer": {"name": "muon", "learning_rate": 0.02},
    "precision": "bfloat16",
}


def signature(height, width, channels):
    return Signature({"images": Input("pixels", (height, width, channels), ("picture",), entry=Flat)}, 5)


def pictures(count, *shape):
    return torch.randint(0, 256, (count, *shape), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 3, 3), (4, 4, 3), (7, 40, 1), (28, 28, 1), (33, 32, 3), (90, 61, 3)])
@pytest.mark.parametrize("count", [1, 2])
def test_images_of_any_size_and_number_are_learnt_from(shape, count):
    model = Speednet(width=8).build(signature(*shape)).train()
    output = model({"images": pictures(count, *shape)})
    output.square().sum().backward()
    assert output.shape == (count, 5)
    assert all(torch.isfinite(p.grad).all() for p in model.parameters())


@pytest.mark.parametrize("side", [64, 128, 224])
def test_large_images_cost_hardly_more_than_small_ones(side):
    """The first convolution brings them to about 31 places a side."""
    sizes = []
    model = Speednet(width=8).build(signature(side, side, 3))
    model.look.stem.register_forward_hook(lambda module, given, made: sizes.append(made.shape[2:]))
    model({"images": pictures(2, side, side, 3)})
    assert all(23 <= places <= 44 for places in sizes[0])


def test_pictures_and_weights_lie_channels_last_in_training_after_a_stop_and_in_a_file(lab, folder, tmp_path):
    recipe = lab.recipe("image", {"flip": {}, "normalize": {}, "translate": {}}, **RECIPE)
    for fitted in (lab.fit(recipe), lab.fit_in_sittings(recipe, folder, [3])):
        bundle = Bundle(
            recipe,
            lab.store("image").schema,
            (Member(fitted.problem.layers, fitted.run.model, ()),),
            torch.device("cpu"),
        )
        bundle.save(tmp_path / "model.aurify", lab.catalog)
        again = Bundle.load(tmp_path / "model.aurify", lab.catalog, "cpu").members[0].network
        for model in (fitted.run.model, again):
            seen = []
            for module in model.modules():
                if isinstance(module, torch.nn.Conv2d):
                    assert module.weight.is_contiguous(memory_format=torch.channels_last)
                    module.register_forward_hook(lambda module, given, made, seen=seen: seen.append(given[0]))
            batch = fitted.problem.feed.next(fitted.run)
            for technique in fitted.run.techniques:
                batch = technique.on_batch(batch, fitted.run)
            with torch.autocast("cpu", torch.bfloat16):
                model(batch.inputs)
            assert seen
            assert all(given.is_contiguous(memory_format=torch.channels_last) for given in seen)


def test_training_in_bfloat16_repeats_and_resumes_to_the_bit(lab, folder):
    recipe = lab.recipe("image", {"flip": {}, "decay": {}, "weight_averaging": {}, "sam": {}}, **RECIPE)
    once = lab.fit(recipe).trace()
    assert same(lab.fit_in_sittings(recipe, folder, [1, 5, 7]).trace(), once)
    assert not same(lab.fit(replace(recipe, precision="float32")).trace(), once)


def test_several_threads_resume_to_the_bit_too(lab, folder):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        recipe = lab.recipe("image", {"flip": {}}, **RECIPE, budget={"steps": 3, "batch_size": 16, "validate_every": 3})
        assert same(lab.fit_in_sittings(recipe, folder, [1]).trace(), lab.fit(recipe).trace())
    finally:
        torch.set_num_threads(before)


def test_members_begin_apart_and_each_is_moved_by_muon_as_if_it_were_alone():
    torch.manual_seed(0)
    network = Speednet(width=8, members=3)
    model = network.build(signature(16, 16, 3))
    network.first_weights(model)
    images = {"images": pictures(4, 16, 16, 3)}
    output = model(images)
    assert output.shape == (4, 3, 5)
    assert not torch.equal(output[:, 0], output[:, 1])
    alone = Speednet(width=8).build(signature(16, 16, 3))
    alone.load_state_dict(model.members[1].state_dict())
    optimizers = [Muon(learning_rate=0.02).build([{"params": list(m.parameters())}], m) for m in (model, alone)]
    for optimizer, made in zip(
        optimizers, (output.square().sum(2).mean(1).sum(), alone(images).square().sum()), strict=True
    ):
        made.backward()
        optimizer.step()
    for one, other in zip(model.members[1].parameters(), alone.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)
    assert len(hidden_matrices(model)) == 3 * len(hidden_matrices(alone)) > 0
