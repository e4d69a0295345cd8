"""Tokens of columns equal one linear map a column."""

import pytest
import torch

from aurify.blocks.tokens import ClassToken, ColumnTokens


@pytest.mark.parametrize("widths", [[1], [1, 1, 1], [3, 1, 5, 1], [4]])
def test_tokens_equal_one_linear_map_a_column(widths):
    tokens = ColumnTokens(widths, 6)
    x_BW = torch.randn(9, sum(widths), generator=torch.Generator().manual_seed(0))
    pieces = zip(x_BW.split(widths, 1), tokens.weight.split(widths), tokens.bias, strict=True)
    torch.testing.assert_close(tokens(x_BW), torch.stack([x @ w + b for x, w, b in pieces], 1))


def test_one_hot_column_is_an_embedding():
    tokens = ColumnTokens([4, 1], 6)
    codes = torch.tensor([2, 0, 3])
    x_BW = torch.cat([torch.nn.functional.one_hot(codes, 4), torch.zeros(3, 1)], 1)
    torch.testing.assert_close(tokens(x_BW)[:, 0], tokens.weight[codes] + tokens.bias[0])


def test_class_token_goes_before_the_others_and_learns():
    gather, x_BTD = ClassToken(6), torch.ones(3, 2, 6)
    joined = gather(x_BTD)
    assert torch.equal(joined[:, 1:], x_BTD)
    assert torch.equal(joined[:, 0], gather.weight.detach().expand(3, -1))
    joined.sum().backward()
    assert torch.equal(gather.weight.grad, torch.full((6,), 3.0))
