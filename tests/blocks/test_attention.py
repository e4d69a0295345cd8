"""Attention equals torch's own with the same weights, masks padding exactly, and its dropout is keyed."""

import pytest
import torch
from torch import nn

from aurify.blocks.attention import Attention, FeedForward, TransformerBlock
from aurify.core import rng


def tokens(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def pair():
    """Our attention, and torch's with the same weights."""
    ours, theirs = Attention(12, 3), nn.MultiheadAttention(12, 3, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.ask.weight, ours.offer.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.ask.bias, ours.offer.bias]))
        theirs.out_proj.weight.copy_(ours.leave.weight)
        theirs.out_proj.bias.copy_(ours.leave.bias)
    return ours, theirs


@pytest.mark.parametrize("asking", [1, 4, 7])
@pytest.mark.parametrize("padded", [False, True])
def test_attention_equals_torch_multihead_attention(pair, asking, padded):
    ours, theirs = pair
    x_BTD = tokens(5, 7, 12)
    real_BT = torch.arange(7) < torch.tensor([7, 3, 1, 5, 6])[:, None] if padded else None
    expected, _ = theirs(x_BTD[:, :asking], x_BTD, x_BTD, key_padding_mask=None if real_BT is None else ~real_BT)
    torch.testing.assert_close(ours(x_BTD[:, :asking], x_BTD, real_BT), expected)


def test_padding_is_never_looked_at(pair):
    x_BTD = tokens(2, 6, 12)
    real_BT = torch.arange(6).expand(2, 6) < 4
    changed = torch.where(real_BT[..., None], x_BTD, 1e6)
    torch.testing.assert_close(pair[0](x_BTD[:, :4], changed, real_BT), pair[0](x_BTD[:, :4], x_BTD[:, :4]))


@pytest.mark.parametrize("padded", [False, True])
def test_keyed_dropout_keeps_the_mean_and_follows_the_step(pair, padded):
    ours = pair[0]
    x_BTD = tokens(1, 6, 12).expand(2000, -1, -1)
    real_BT = (torch.arange(6) < 4).expand(2000, 6) if padded else None
    whole = ours(x_BTD, x_BTD, real_BT)
    ours.drop.rate = 0.25
    rng.attach(ours, draws := rng.Draws(1))
    draws.at(3, 0, 2000)
    dropped = ours(x_BTD, x_BTD, real_BT)
    torch.testing.assert_close(dropped.mean(0), whole[0], atol=0.05, rtol=0)
    assert torch.equal(dropped, ours(x_BTD, x_BTD, real_BT))
    draws.at(4, 0, 2000)
    assert not torch.equal(dropped, ours(x_BTD, x_BTD, real_BT))
    assert torch.equal(ours.eval()(x_BTD, x_BTD, real_BT), whole)


@pytest.mark.parametrize("activation", ["reglu", "gelu"])
def test_asking_for_a_few_tokens_gives_what_asking_for_all_gives_of_them(activation):
    block, x_BTD = TransformerBlock(12, 3, activation).eval(), tokens(5, 7, 12)
    torch.testing.assert_close(block(x_BTD, asking=2), block(x_BTD)[:, :2])


def test_block_is_two_branches_beside_a_plain_path():
    block, x_BTD = TransformerBlock(12, 3, "gelu"), tokens(5, 7, 12)
    first, second = block.norms
    y_BTD = x_BTD + block.attend(first(x_BTD), first(x_BTD))
    torch.testing.assert_close(block(x_BTD), y_BTD + block.think(second(y_BTD)))
    for branch in (block.attend.leave, block.think.leave):
        nn.init.zeros_(branch.weight)
        nn.init.zeros_(branch.bias)
    assert torch.equal(block(x_BTD), x_BTD)


def test_both_feed_forward_layers_have_as_many_weights():
    counts = [sum(p.numel() for p in FeedForward(64, name).parameters()) for name in ("reglu", "gelu")]
    assert max(counts) < 1.02 * min(counts)
