"""Random numbers depend on seed, stream, step and place, and on nothing else."""

import numpy as np
import pytest
import torch
from torch import nn

from aurify.core import rng
from aurify.training.fit import build


def test_keys_of_different_places_differ():
    keys = {rng.key(seed, stream, step) for seed in range(20) for stream in ("a", "b", "a/b") for step in range(50)}
    assert len(keys) == 20 * 3 * 50
    assert all(0 <= k < 2**63 for k in keys)


def test_keys_are_fixed_across_versions_and_machines():
    """Saved runs are resumed by later versions: these numbers must never change."""
    assert rng.key(0, "order", 0) == 3471081512423777433
    assert rng.key(7, "mask/body.0.drop", 12) == 8872693303483563256


def test_seeding_a_block_leaves_the_global_generator_alone():
    before = torch.get_rng_state()
    with rng.seeded(5, "x"):
        one = torch.rand(3)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    with rng.seeded(5, "x"):
        assert torch.equal(torch.rand(3), one)


@pytest.mark.parametrize("size", [1, 7, 32])
def test_masks_of_pieces_are_slices_of_the_whole(size):
    draws, whole = rng.Draws(3), torch.zeros(32, 5)
    draws.at(4, 0, 32)
    mask = draws.keep_mask("body", whole, 0.4)
    pieces = []
    for start in range(0, 32, size):
        part = whole[start : start + size]
        draws.at(4, start, 32)
        pieces.append(draws.keep_mask("body", part, 0.4))
    assert torch.equal(torch.cat(pieces), mask)


def test_masks_keep_their_share_and_differ_by_step_and_path():
    draws, like = rng.Draws(0), torch.zeros(200, 100)
    masks = []
    for step, path in ((0, "a"), (1, "a"), (0, "b")):
        draws.at(step, 0, 200)
        masks.append(draws.keep_mask(path, like, 0.3))
        assert abs(float(masks[-1].mean()) - 0.7) < 0.02
    assert not torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])


@pytest.mark.parametrize("rate", [0.001, 0.1, 0.5, 0.95])
def test_each_entry_of_a_mask_is_drawn_for_itself(rate):
    """Several draws are cut from one random number: neighbours must not know of one another."""
    draws = rng.Draws(1)
    draws.at(0, 0, 1000)
    mask = draws.keep_mask("a", torch.zeros(1000, 400), rate).double()
    spread = (rate * (1 - rate) / mask.numel()) ** 0.5
    assert abs(float(mask.mean()) - (1 - rate)) < 5 * spread + 1 / 65536
    centred = (mask - mask.mean()).flatten()
    for distance in (1, 2, 3, 4, 8, 400):
        together = float((centred[distance:] * centred[:-distance]).mean())
        assert abs(together) < 5 * rate * (1 - rate) / mask.numel() ** 0.5, distance


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (2, 3, 7), (4, 0)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_masks_have_every_shape_and_type(shape, dtype):
    draws = rng.Draws(1)
    draws.at(0, 0, shape[0])
    mask = draws.keep_mask("a", torch.zeros(shape, dtype=dtype), 0.5)
    assert (mask.shape, mask.dtype) == (torch.Size(shape), dtype)
    assert set(mask.flatten().tolist()) <= {0.0, 1.0}


def test_more_layers_do_not_shift_the_first_weights_of_others():
    def network(*widths):
        layers = nn.ModuleDict({str(w): nn.Linear(w, 4) for w in widths})
        rng.initialise(layers, 3)
        return layers

    assert torch.equal(network(2, 3)["3"].weight, network(1, 2, 3)["3"].weight)


def test_layers_of_one_shape_begin_with_different_weights():
    layers = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    rng.initialise(layers, 3)
    assert not torch.equal(layers[0].weight, layers[1].weight)


def test_first_weights_do_not_depend_on_what_was_drawn_before(lab):
    recipe = lab.recipe("classify")
    signature = lab.problem(recipe).signature
    one = build(recipe, signature).state_dict()
    torch.manual_seed(1)
    np.random.default_rng(1).random()
    torch.rand(1000)
    two = build(recipe, signature).state_dict()
    assert all(torch.equal(one[k], two[k]) for k in one)


def test_another_seed_gives_other_weights(lab):
    one, two = (lab.fitted(lab.recipe("classify", seed=s)).weights() for s in (1, 2))
    assert not any(torch.equal(one[k], two[k]) for k in one if one[k].ndim > 1)
