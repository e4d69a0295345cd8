"""Rows of sequences come out of every cut as they went in, and what is said of a row depends on no other."""

import itertools
import random

import pytest
import torch

from aurify.core.gathering import by_width, joined
from aurify.core.ragged import (
    PAD,
    SHORTEST,
    Ragged,
    from_sequences,
    from_texts,
    side_by_side,
    width_for,
)

SEPARATOR, EMPTY = 2, 1
CPU = torch.device("cpu")


def rows(count=40, columns=1, longest=30, seed=0):
    """Random ids, empty sequences among them, row after row."""
    draw = random.Random(seed)
    return [
        [[draw.randrange(4, 99) for _ in range(draw.choice([0, draw.randrange(longest)]))] for _ in range(columns)]
        for _ in range(count)
    ]


def packed(given):
    return from_sequences([sequence for row in given for sequence in row], len(given[0]))


def unpacked(ragged):
    ends = ragged.ends.tolist()
    flat = [ragged.values[a:b].tolist() for a, b in itertools.pairwise(ends)]
    return [flat[at : at + ragged.columns] for at in range(0, len(flat), ragged.columns)]


@pytest.mark.parametrize("columns", [1, 2, 3])
def test_what_is_packed_comes_out_again(columns):
    given = rows(columns=columns)
    ragged = packed(given)
    assert len(ragged) == len(given)
    assert unpacked(ragged) == given
    assert ragged.lengths.tolist() == [[len(s) for s in row] for row in given]
    assert (ragged.values.dtype, ragged.ends.dtype) == (torch.int32, torch.int64)


def test_texts_of_any_character_come_out_again_halves_of_pairs_too():
    given = ["", "abc", "\U0001f642\u4e2d", "\ud800x", "a\x00b", ""]
    ragged = from_texts(given, columns=2)
    assert ragged.flat_texts() == given
    assert ragged.texts() == [given[:2], given[2:4], given[4:]]


def test_no_rows_at_all_are_rows_too():
    for nothing in (from_sequences([]), from_texts([]), from_texts([], columns=3)):
        assert len(nothing) == 0
        assert nothing.texts() == []
        assert len(nothing[torch.empty(0, dtype=torch.int64)]) == 0
    assert from_sequences([]).padded().shape == (0, SHORTEST)
    assert len(side_by_side(from_texts([], columns=2), SEPARATOR, EMPTY)) == 0


@pytest.mark.parametrize("columns", [1, 3])
@pytest.mark.parametrize(
    "index",
    [
        torch.tensor([3, 0, 3, 39, 7]),
        torch.tensor([-1, 5]),
        torch.arange(40) % 3 == 0,
        torch.zeros(40, dtype=torch.bool),
        slice(5, 11),
        slice(None, None, 7),
        slice(30, 300),
        slice(9, 9),
    ],
)
def test_rows_are_chosen_as_those_of_a_tensor_are(columns, index):
    given = rows(columns=columns)
    chosen = torch.arange(len(given))[index].tolist()
    assert unpacked(packed(given)[index]) == [given[at] for at in chosen]


def test_rows_of_rows_are_those_rows():
    ragged, some = packed(rows(columns=2)), torch.tensor([8, 2, 30, 2])
    assert unpacked(ragged[some][torch.tensor([3, 1])]) == unpacked(ragged[some[[3, 1]]])


@pytest.mark.parametrize("columns", [[0], [2, 0], [1, 1], [0, 1, 2]])
def test_columns_are_chosen_in_the_order_asked(columns):
    given = rows(columns=3)
    assert unpacked(packed(given).choose(columns)) == [[row[at] for at in columns] for row in given]


@pytest.mark.parametrize("most", [0, 1, 5, 29, 30])
def test_first_ids_are_those_that_each_sequence_begins_with(most):
    given = rows(columns=2)
    assert unpacked(packed(given).first(most)) == [[s[:most] for s in row] for row in given]


def test_first_of_short_sequences_copies_nothing():
    ragged = packed(rows())
    assert ragged.first(30) is ragged


def test_sequences_stand_side_by_side_with_a_separator_between_and_none_is_without_an_id():
    given = [[[4, 5], [], [6]], [[], [], []], [[], [7], []]]
    assert unpacked(side_by_side(packed(given), SEPARATOR, EMPTY)) == [[[4, 5, 2, 2, 6]], [[2, 2]], [[2, 7, 2]]]
    alone = [[[4]], [[]], [[5, 6]], [[]]]
    assert unpacked(side_by_side(packed(alone), SEPARATOR, EMPTY)) == [[[4]], [[EMPTY]], [[5, 6]], [[EMPTY]]]


@pytest.mark.parametrize("columns", [1, 2, 4])
def test_side_by_side_is_what_joining_lists_gives(columns):
    given = rows(columns=columns)

    def one(row):
        every = [number for sequence in row for number in (*sequence, SEPARATOR)][:-1]
        return [every or [EMPTY]]

    assert unpacked(side_by_side(packed(given), SEPARATOR, EMPTY)) == list(map(one, given))


def test_pieces_one_after_another_are_the_whole():
    ragged = packed(rows(columns=2))
    pieces = [ragged[:7], ragged[7:7], ragged[7:39], ragged[39:]]
    assert unpacked(joined(pieces)) == unpacked(ragged)
    table = torch.arange(12.0).view(6, 2)
    assert torch.equal(joined([table[:1], table[1:]]), table)


def test_batches_are_padded_behind_and_cut_at_their_width():
    given = [[[4, 5, 6]], [[]], [[7]]]
    assert packed(given).padded(4).tolist() == [[4, 5, 6, PAD], [PAD] * 4, [7, PAD, PAD, PAD]]
    assert packed(given).padded(2).tolist() == [[4, 5], [PAD, PAD], [7, PAD]]
    assert packed(given).padded().shape == (3, SHORTEST)
    assert packed(given).padded().dtype == torch.int64


def test_widths_are_few_and_waste_less_than_half():
    widths = [width_for(length) for length in range(1, 5000)]
    assert widths == sorted(widths)
    assert all(width >= length for length, width in enumerate(widths, 1))
    assert all(width < 1.5 * length for length, width in enumerate(widths, 1) if length > SHORTEST)
    assert len(set(widths)) == 20
    assert [width_for(width) for width in set(widths)] == list(set(widths))


def told(inputs):
    """What depends on every id, on its place, and on nothing else."""
    ids = inputs["tokens"]
    return torch.stack([(ids * torch.arange(1, ids.shape[1] + 1)).sum(1), inputs["numbers"][:, 0].long()], 1)


@pytest.mark.parametrize("whole", [1, 4])
def test_by_width_says_the_same_of_a_row_whatever_its_neighbours(whole):
    given = rows(count=60, longest=70)
    tokens, numbers = packed(given), torch.arange(60.0)[:, None]
    shapes = []

    def call(inputs):
        shapes.append(tuple(inputs["tokens"].shape))
        return told(inputs)

    together = by_width({"tokens": tokens, "numbers": numbers}, CPU, call, whole)
    assert all(count % whole == 0 for count, _ in shapes)
    assert len({width for _, width in shapes}) == len(shapes)
    for at in range(60):
        one = torch.tensor([at])
        alone = by_width({"tokens": tokens[one], "numbers": numbers[one]}, CPU, told, whole)
        assert torch.equal(alone[0], together[at])
    shuffled = torch.randperm(60, generator=torch.Generator().manual_seed(1))
    moved = by_width({"tokens": tokens[shuffled], "numbers": numbers[shuffled]}, CPU, told, whole)
    assert torch.equal(moved, together[shuffled])


def test_by_width_gives_a_row_the_same_padding_whatever_its_neighbours():
    given = rows(count=30, longest=70)

    def width(inputs):
        return torch.full((len(inputs["tokens"]),), inputs["tokens"].shape[1])

    together = by_width({"tokens": packed(given)}, CPU, width, 1)
    assert together.tolist() == [width_for(len(row[0])) for row in given]


def test_tables_go_to_the_network_at_once():
    calls = []
    table = torch.arange(6.0).view(3, 2)
    by_width({"numbers": table}, CPU, lambda inputs: calls.append(inputs) or inputs["numbers"], 4)
    assert len(calls) == 1
    assert torch.equal(calls[0]["numbers"], table)


def test_ends_stay_where_they_are_when_values_move():
    ragged = packed(rows())
    moved = ragged.to(torch.device("meta"))
    assert moved.device.type == "meta"
    assert moved.ends is ragged.ends
    assert isinstance(moved, Ragged)
