"""Splits keep classes in proportion and copies together, whatever the table; shown on many random ones."""

import numpy as np
import polars as pl
import pytest

from aurify.core.errors import AurifyError
from aurify.data.copies import row_keys
from aurify.data.schema import Schema
from aurify.data.splits import learnt_rows, part_rows
from aurify.data.store import Store


def store_of(numbers, codes, target, classes=None, test=None):
    """A Store as the table task makes it, from plain arrays."""
    count = len(target)
    frame = pl.DataFrame({"x": np.arange(count) * 0.5, "y": target.astype(str) if classes else np.arange(count) / 3})
    schema = Schema.infer(frame, "y", (), "classify" if classes else "regress")
    test = np.zeros(count, dtype=bool) if test is None else test
    inputs = {k: v for k, v in (("numbers", numbers), ("codes", codes)) if v is not None}
    return Store.of(schema, inputs, target, test)


def random_store(random, classes):
    count = int(random.integers(150, 900))
    numbers = random.normal(size=(count, 2)).round(2)
    codes = random.integers(-1, 3, (count, 2)).astype(np.int32)
    numbers[random.random(numbers.shape) < 0.1] = np.nan
    copies = random.integers(0, count, int(random.integers(0, count)))
    at = random.permutation(count)[: len(copies)]
    numbers[at], codes[at] = numbers[copies], codes[copies]
    shares = random.dirichlet(np.full(classes or 1, 2.0))
    if classes:
        target = random.choice(classes, count, p=shares).astype(np.int64)
        target[:classes] = np.arange(classes)
    else:
        target = random.exponential(size=count)
    return store_of(numbers, codes, target, classes)


@pytest.mark.parametrize("seed", range(30))
def test_parts_are_whole_disjoint_and_keep_copies_together(seed):
    random = np.random.default_rng(seed)
    store = random_store(random, [0, 2, 5][seed % 3])
    parts = part_rows(store, 0.2, 0.15, seed)
    every = np.concatenate([parts.fit, parts.held, parts.test])
    np.testing.assert_array_equal(np.sort(every), np.arange(len(store)))
    keys = slow_keys([store.inputs["numbers"], store.inputs["codes"]])
    sides = {}
    for side in ("fit", "held", "test"):
        rows = getattr(parts, side)
        assert (np.diff(rows) > 0).all()
        for row in rows:
            assert sides.setdefault(keys[row], side) == side, "copies lie on two sides"


@pytest.mark.parametrize("seed", range(10))
def test_classes_are_in_proportion_to_within_a_row(seed):
    random = np.random.default_rng(seed)
    count = int(random.integers(200, 600))
    target = random.choice(4, count, p=[0.6, 0.25, 0.12, 0.03]).astype(np.int64)
    target[:8] = np.arange(8) % 4
    parts = part_rows(store_of(random.normal(size=(count, 2)), None, target, 4), 0.2, 0.15, seed)
    for code in range(4):
        total = (target == code).sum()
        in_test = (target[parts.test] == code).sum()
        in_held = (target[parts.held] == code).sum()
        assert abs(in_test - 0.2 * total) <= 1
        assert abs(in_held - 0.15 * (total - in_test)) <= 1


@pytest.mark.parametrize("seed", range(10))
def test_numbers_are_in_proportion_across_their_range(seed):
    random = np.random.default_rng(seed)
    target = random.lognormal(size=500)
    parts = part_rows(store_of(random.normal(size=(500, 2)), None, target), 0.2, 0.15, seed)
    upper = target > np.quantile(target, 0.9)
    assert abs(upper[parts.test].sum() - 10) <= 1


def test_class_of_one_row_is_learnt_from_never_measured():
    for seed in range(20):
        random = np.random.default_rng(seed)
        target = np.r_[2, np.zeros(150, int), np.ones(149, int)].astype(np.int64)
        for share in (0.2, 0.7):
            parts = part_rows(store_of(random.normal(size=(300, 2)), None, target, 3), share, share, seed)
            assert 0 in parts.fit


def test_class_of_two_rows_leaves_one_to_learn_from():
    for seed in range(20):
        random = np.random.default_rng(seed)
        target = np.r_[2, 2, np.zeros(150, int), np.ones(148, int)].astype(np.int64)
        parts = part_rows(store_of(random.normal(size=(300, 2)), None, target, 3), 0.3, 0.3, seed)
        assert np.isin(parts.fit, [0, 1]).any()


def test_same_seed_same_parts_another_seed_others():
    store = random_store(np.random.default_rng(1), 3)
    one, two, other = (part_rows(store, 0.2, 0.15, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.test, two.test)
    np.testing.assert_array_equal(one.held, two.held)
    assert not np.array_equal(one.test, other.test)


def test_test_file_is_the_test_part():
    random = np.random.default_rng(0)
    numbers = random.normal(size=(300, 2))
    numbers[250:255] = numbers[:5]
    target = random.choice(2, 300).astype(np.int64)
    test = np.arange(300) >= 250
    parts = part_rows(store_of(numbers, None, target, 2, test), 0.2, 0.15, 3)
    np.testing.assert_array_equal(parts.test, np.arange(250, 300))
    assert abs(len(parts.held) - 0.15 * 250) <= 2


def test_rows_without_a_target_are_in_no_part_and_counted():
    random = np.random.default_rng(0)
    target = random.choice(2, 300).astype(np.int64)
    target[[7, 9, 50]] = -1
    parts = part_rows(store_of(random.normal(size=(300, 2)), None, target, 2), 0.2, 0.15, 3)
    assert not np.isin([7, 9, 50], np.concatenate([parts.fit, parts.held, parts.test])).any()
    assert "3 rows without a target are left out" in parts.notes


def test_few_different_rows_are_parted_all_the_same_and_said():
    random = np.random.default_rng(0)
    codes = random.integers(0, 2, (400, 2)).astype(np.int32)
    parts = part_rows(store_of(None, codes, random.choice(2, 400).astype(np.int64), 2), 0.2, 0.15, 3)
    assert abs(len(parts.test) - 80) <= 2
    assert any("too few to keep equal rows on one side" in note for note in parts.notes)


@pytest.mark.parametrize("count", [2, 3])
def test_too_few_rows_are_refused(count):
    target = (np.arange(count) % 2).astype(np.int64)
    with pytest.raises(AurifyError, match=r"too few|only one class"):
        part_rows(store_of(np.random.default_rng(0).normal(size=(count, 1)), None, target, 2), 0.2, 0.15, 0)


@pytest.mark.parametrize("seed", range(10))
def test_without_a_test_part_every_labelled_row_is_learnt_from_or_held_out(seed):
    random = np.random.default_rng(seed)
    store = random_store(random, 3 if seed % 2 else None)
    parts = learnt_rows(store, 0.1, seed)
    assert len(parts.test) == 0
    assert np.array_equal(np.sort(np.concatenate([parts.fit, parts.held])), np.flatnonzero(store.labelled))
    assert len(parts.held) == pytest.approx(0.1 * store.labelled.sum(), abs=12)
    keys = row_keys(store.inputs.values())
    assert not np.isin(keys[parts.held], keys[parts.fit]).any()
    assert np.array_equal(parts.held, learnt_rows(store, 0.1, seed).held)


def test_rows_too_few_to_hold_any_out_all_learn_and_all_judge():
    store = store_of(np.random.default_rng(0).normal(size=(6, 1)), None, np.array([0, 1] * 3), 2)
    parts = learnt_rows(store, 0.1, 0)
    assert parts.fit.tolist() == parts.held.tolist() == [0, 1, 2, 3, 4, 5]
    assert parts.notes == ("6 rows are too few to hold any out: when to stop is judged by all of them",)


def slow_keys(tables):
    """What a row is, said so that equal rows are equal: missing equals missing, 0.0 equals -0.0."""
    rows = []
    for at in range(len(tables[0])):
        values = [v for table in tables for v in table[at].tolist()]
        rows.append(tuple("missing" if v != v else v + 0.0 for v in values))
    return rows


@pytest.mark.parametrize("seed", range(20))
def test_row_keys_equal_a_slow_comparison_of_rows(seed):
    random = np.random.default_rng(seed)
    count = 200
    numbers = random.choice([0.0, -0.0, 1.0, np.nan, 1e-300, -1.5, 2.0**60], (count, 3))
    codes = random.integers(-2, 2, (count, 2)).astype(np.int32)
    numbers.view(np.uint64)[0, 0] = 0x7FF8000000000123  # a NaN with other bits
    slow, fast = slow_keys([numbers, codes]), row_keys([numbers, codes])
    for i in range(count):
        for j in range(i):
            assert (fast[i] == fast[j]) == (slow[i] == slow[j]), (numbers[[i, j]], codes[[i, j]])


def test_row_keys_depend_on_the_order_of_columns():
    one = row_keys([np.array([[1.0, 2.0], [2.0, 1.0]])])
    assert one[0] != one[1]


def test_row_keys_do_not_collide_on_many_similar_rows():
    grid = np.stack(np.meshgrid(np.arange(100), np.arange(100), np.arange(20)), -1).reshape(-1, 3)
    assert len(np.unique(row_keys([grid.astype(np.int32)]))) == len(grid)
    assert len(np.unique(row_keys([grid * 0.1]))) == len(grid)
