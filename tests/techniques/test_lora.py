"""Low-rank changes of linear layers."""

import pytest
import torch
from torch import nn

from aurify.blocks.lora import LowRank, make_low_rank
from aurify.training import fit as loop

TRANSFORMER = {"name": "ft_transformer", "width": 32, "depth": 2, "heads": 2}


def built(lab, rank=4, layers="all", network=TRANSFORMER):
    recipe = lab.recipe("classify", {"lora": {"rank": rank, "layers": layers}}, network=network)
    return recipe, loop.build(recipe, lab.problem(recipe).signature)


def test_it_begins_as_the_network_is(lab):
    inputs = next(iter([lab.problem(lab.recipe("classify", network=TRANSFORMER)).feed.inputs]))
    off, on = (built(lab, rank)[1].eval() for rank in (0, 4))
    assert any(isinstance(m, LowRank) for m in on.modules())
    assert torch.equal(off(inputs), on(inputs))


def test_chosen_matrices_stay_and_their_products_and_all_else_move(lab):
    recipe, before = built(lab)
    after = lab.fitted(recipe).weights()
    still = {n for n, value in before.state_dict().items() if torch.equal(value, after[n])}
    chosen = {n for n, m in before.named_modules() if isinstance(m, LowRank)}
    assert chosen
    assert {n for n, p in before.named_parameters() if not p.requires_grad} == {
        f"{n}.{own}" for n in chosen for own in ("weight", "bias")
    }
    assert {n for n, p in before.named_parameters() if p.requires_grad} & still == set()


def test_attention_alone_may_be_chosen(lab):
    names = [n for n, m in built(lab, layers="attention")[1].named_modules() if isinstance(m, LowRank)]
    assert len(names) == 6
    assert all(".attend." in n for n in names)


def test_last_layer_and_narrow_ones_stay_whole():
    model = nn.Sequential(nn.Linear(40, 40), nn.Linear(40, 7), nn.Linear(7, 40), nn.Linear(40, 40))
    assert make_low_rank(model, 4, 1.0, spare="3") == ["0"]


@pytest.mark.parametrize("bias", [True, False])
def test_product_is_what_the_paper_adds_and_merges_into_one_matrix(bias):
    torch.manual_seed(0)
    plain, x = nn.Linear(12, 9, bias), torch.randn(5, 12)
    changed = LowRank(plain, 3, 2.0)
    assert torch.equal(changed(x), plain(x))
    nn.init.normal_(changed.product.rise)
    expected = plain(x) + 2.0 * x @ changed.product.thin.T @ changed.product.rise.T
    torch.testing.assert_close(changed(x), expected)
    torch.testing.assert_close(changed.merged()(x), expected)
    assert type(changed.merged()) is nn.Linear


def test_fewer_numbers_are_trained(lab):
    off, on = (built(lab, rank, network={**TRANSFORMER, "width": 64})[1] for rank in (0, 4))
    counts = [sum(p.numel() for p in model.body.parameters() if p.requires_grad) for model in (off, on)]
    assert counts[1] < counts[0] / 4
