"""Networks side by side are what each would be alone."""

import pytest
import torch
from torch import nn

from aurify.blocks.batch_norm import BatchNorm
from aurify.blocks.dropout import Dropout
from aurify.blocks.stack import MemberDraws, StackedConv, alone, difference, matrix, stacked
from aurify.blocks.word_table import WordTable
from aurify.core import rng
from aurify.core.types import Input
from aurify.networks.speednet import Filters

SEEDS, ROWS = (5, 6, 7), 8


class Every(nn.Module):
    """A network with each kind of layer that is stacked, and one that only vmap knows."""

    def __init__(self):
        super().__init__()
        self.codes, self.enter = nn.Embedding(9, 4), nn.Linear(8, 16)
        self.norm, self.drop, self.gain = BatchNorm(16), Dropout(), Gain(16)
        self.body = nn.Sequential(nn.LayerNorm(16), nn.Tanh(), nn.Linear(16, 16, bias=False), nn.Identity())
        self.leave = nn.ModuleList([nn.Linear(16, 2), nn.Linear(16, 3)])
        self.drop.rate = 0.4

    def forward(self, numbers, codes):
        x = self.enter(torch.cat([numbers, self.codes(codes)], 1))
        x = self.body(self.gain(self.drop(self.norm(x))))
        return torch.cat([leave(x) for leave in self.leave], 1)


class Gain(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.amount = nn.Parameter(torch.rand(width))
        self.inner = nn.Linear(width, width)

    def forward(self, x):
        return self.amount * self.inner(x)


def members(make=Every):
    made = []
    for seed in SEEDS:
        with rng.seeded(seed, "test"):
            made.append(make())
    return made


def rows():
    random = rng.generator(0, "rows")
    numbers = torch.randn(len(SEEDS) * ROWS, 4, generator=random)
    return numbers, torch.randint(0, 9, (len(SEEDS) * ROWS,), generator=random)


@pytest.mark.parametrize("training", [True, False])
def test_each_member_answers_and_learns_as_it_would_alone(training):
    every, (numbers, codes) = members(), rows()
    stack = stacked(every).train(training)
    assert list(stack.state_dict()) == list(every[0].state_dict())
    rng.attach(stack, draws := MemberDraws(SEEDS))
    draws.at(3, 0, len(numbers))
    answers = stack(numbers, codes)
    answers.square().sum().backward()
    for at, (seed, member) in enumerate(zip(SEEDS, every, strict=True)):
        own = slice(at * ROWS, (at + 1) * ROWS)
        rng.attach(member.train(training), draws := rng.Draws(seed))
        draws.at(3, 0, ROWS)
        said = member(numbers[own], codes[own])
        torch.testing.assert_close(answers[own], said, rtol=1e-5, atol=1e-6)
        said.square().sum().backward()
        for (name, beside), (_, by_itself) in zip(stack.named_parameters(), member.named_parameters(), strict=True):
            torch.testing.assert_close(beside.grad[at], by_itself.grad, rtol=1e-4, atol=1e-5, msg=name)
        for (_, beside), (_, by_itself) in zip(stack.named_buffers(), member.named_buffers(), strict=True):
            torch.testing.assert_close(beside[at], by_itself)


def test_convolutions_are_groups_of_one():
    every = members(lambda: nn.Conv2d(2, 6, 3, stride=2, padding=1, groups=2))
    images = torch.randn(len(SEEDS) * ROWS, 2, 9, 7, generator=rng.generator(1, "images"))
    answers = stacked(every)(images)
    for at, member in enumerate(every):
        own = slice(at * ROWS, (at + 1) * ROWS)
        torch.testing.assert_close(answers[own], member(images[own]), rtol=1e-5, atol=1e-6)


def test_words_of_some_members_only_learn_nothing_in_the_others():
    sizes = (5, 7, 6)
    every = [WordTable(Input("tokens", (-1,), ("t",), (n,), vocabulary=tuple("abcdefg"[:n])), 3) for n in sizes]
    assert difference(every) == ""
    ids = torch.cat([torch.randint(0, n, (ROWS, 4), generator=rng.generator(n, "ids")) for n in sizes])
    stack = stacked(every)
    stack(ids).square().sum().backward()
    for at, member in enumerate(every):
        own = ids[at * ROWS : (at + 1) * ROWS]
        assert torch.equal(stack(ids)[at * ROWS : (at + 1) * ROWS], member(own))
        member(own).square().sum().backward()
        got = stack.table.weight.grad[at]
        torch.testing.assert_close(got[: sizes[at]], member.table.weight.grad)
        assert not got[sizes[at] :].any()
        assert not got[0].any(), "padding learns nothing"


def test_convolutions_of_sequences_and_kinds_of_them_are_stacked():
    for make, shape in ((lambda: nn.Conv1d(2, 6, 3), (11,)), (lambda: Filters(2, 5), (6, 7))):
        every = members(make)
        x = torch.randn(len(SEEDS) * ROWS, 2, *shape, generator=rng.generator(1, "x"))
        stack = stacked(every)
        assert isinstance(stack, StackedConv)
        for at, member in enumerate(every):
            own = slice(at * ROWS, (at + 1) * ROWS)
            torch.testing.assert_close(stack(x)[own], member(x[own]), rtol=1e-5, atol=1e-6)


def test_masks_of_tokens_are_those_of_rows_that_are_padded_less():
    widths, like = [4, 9, 6], torch.ones(len(SEEDS) * ROWS, 9, 5)
    draws = MemberDraws(SEEDS)
    draws.at(2, 0, len(like), widths)
    mask = draws.token_mask("drop", like, 0.5).unflatten(0, (len(SEEDS), -1))
    for seed, width, own in zip(SEEDS, widths, mask, strict=True):
        (by_itself := rng.Draws(seed)).at(2, 0, ROWS)
        assert torch.equal(own[:, :width], by_itself.token_mask("drop", torch.ones(ROWS, width, 5), 0.5))
        assert not own[:, width:].any()


def test_one_alone_is_itself_and_one_of_many_can_be_taken_out():
    every, (numbers, codes) = members(), rows()
    assert stacked(every[:1]) is every[0]
    stack = stacked(every)
    second = alone(stack, every[0], 1).eval()
    torch.testing.assert_close(second(numbers, codes), every[1].eval()(numbers, codes))
    with torch.no_grad():
        second.enter.weight.zero_()
    assert not stack.get_parameter("enter.weight").eq(0).any(), "it shares nothing with the others"


def test_matrices_are_told_from_biases_however_many_members_there_are():
    every = members()
    plain = [name for name, p in every[0].named_parameters() if matrix(p, 1)]
    beside = [name for name, p in stacked(every).named_parameters() if matrix(p, len(SEEDS))]
    assert plain == beside
    assert "enter.weight" in plain
    assert "enter.bias" not in plain
