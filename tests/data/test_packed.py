"""Columns of texts come out as they went in, and equal keys mean equal texts."""

import itertools
import random

import numpy as np
import pytest

from aurify.data.packed import Packed, stacked

ODD = ["", "a", "ab", "b", "\x00", "\x00\x00", "a\x00", "\x00a", "\ud800", "\U0001f642", "\u4e2d\u6587", " ", "ab "]


def texts(count=60, letters="ab\u4e2d\U0001f642 \x00", seed=0):
    draw = random.Random(seed)
    return ["".join(draw.choice(letters) for _ in range(draw.choice([0, draw.randrange(12)]))) for _ in range(count)]


def columns(count=3):
    return [texts(seed=at) for at in range(count)]


def told(packed):
    return [packed.column(at) for at in range(packed.columns)]


@pytest.mark.parametrize("count", [1, 3])
def test_columns_come_out_again_and_tensors_say_the_same(count):
    given = columns(count)
    packed = Packed.of(given)
    assert packed.shape == (60, count)
    assert told(packed) == given
    assert packed.lengths.T.tolist() == [list(map(len, column)) for column in given]
    assert packed.ragged.texts() == [list(row) for row in zip(*given, strict=True)]
    assert [packed.only(at).column(0) for at in range(count)] == given


@pytest.mark.parametrize(
    "rows",
    [np.array([3, 0, 3, 59]), np.arange(60) % 7 == 0, np.zeros(60, dtype=bool), slice(4, 9), slice(50, 500)],
)
def test_rows_are_chosen_as_those_of_an_array_are(rows):
    given = columns()
    chosen = np.arange(60)[rows].tolist()
    assert told(Packed.of(given)[rows]) == [[column[at] for at in chosen] for column in given]


def test_hidden_columns_are_empty_and_the_others_untouched():
    given = columns()
    packed = Packed.of(given)
    assert told(packed.blanked([1])) == [given[0], [""] * 60, given[2]]
    assert told(packed.blanked([0, 2])) == [[""] * 60, given[1], [""] * 60]
    assert told(packed.blanked([])) == given
    assert not len(packed.blanked([0, 1, 2]).values)
    assert told(packed) == given


def test_one_column_may_be_replaced():
    given = columns()
    other = [f"{at}" for at in range(60)]
    assert told(Packed.of(given).replaced(1, other)) == [given[0], other, given[2]]


def test_pieces_one_after_another_are_the_whole():
    packed = Packed.of(columns())
    again = stacked([packed[:7], packed[7:7], packed[7:]])
    assert told(again) == told(packed)
    assert np.array_equal(again.ends, packed.ends)


def test_no_rows_at_all_are_rows_too():
    nothing = Packed.of([[], []])
    assert nothing.shape == (0, 2)
    assert told(nothing) == [[], []]
    assert nothing.keys.shape == (0, 2)
    assert nothing.blanked([0]).shape == (0, 2)
    assert told(stacked([nothing, Packed.of([["a"], ["b"]])])) == [["a"], ["b"]]


def test_equal_texts_have_equal_keys_wherever_they_stand():
    given = columns(2)
    keys = Packed.of(given).keys
    shuffled = np.random.default_rng(0).permutation(60)
    assert np.array_equal(Packed.of(given)[shuffled].keys, keys[shuffled])
    assert np.array_equal(Packed.of(given[::-1]).keys, keys[:, ::-1])
    every = {
        text: key for column, own in zip(given, keys.T, strict=True) for text, key in zip(column, own, strict=True)
    }
    for column, own in zip(given, keys.T, strict=True):
        assert [every[text] for text in column] == own.tolist()


def test_different_texts_have_different_keys():
    short = ["".join(each) for size in range(7) for each in itertools.product("ab\x00\u4e2d", repeat=size)]
    different = list(dict.fromkeys([*ODD, *short, *("".join(p) for p in itertools.permutations("abcdefg"))]))
    keys = Packed.of([different]).keys[:, 0]
    assert len(set(keys.tolist())) == len(different)


def test_keys_tell_where_one_column_ends_and_the_next_begins():
    pairs = [("ab", "c"), ("a", "bc"), ("", "abc"), ("abc", ""), ("c", "ab"), ("bc", "a")]
    keys = Packed.of([list(column) for column in zip(*pairs, strict=True)]).keys
    assert len({tuple(row) for row in keys.tolist()}) == len(pairs)


def test_keys_of_texts_made_to_collide_are_different():
    """Thue and Morse's sequence and its mirror: every polynomial hash modulo a power of 2 takes them for one."""
    morse = "".join("ab"[bin(at).count("1") % 2] for at in range(2**12))
    mirror = morse.translate(str.maketrans("ab", "ba"))
    one, other = Packed.of([[morse, mirror]]).keys[:, 0].tolist()
    assert one != other
