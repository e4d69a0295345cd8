"""Samples of rows for studies: they share nothing where they say so, keep together what belongs together, and only take
what they may; folds of a sample stay within it.
"""

import numpy as np
import pytest
from grouped import random_store

from aurify.data.copies import row_keys
from aurify.data.splits import fold_rows, sample_rows

BY = ("random", "group:g", "time:t")


def among_of(store, seed):
    """Two thirds of the rows: the others are sealed."""
    return np.sort(np.random.default_rng(seed).permutation(len(store))[: 2 * len(store) // 3])


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("most", [40, 200, None])
def test_samples_take_only_what_they_may_and_share_nothing_where_they_say_so(by, most, seed):
    store = random_store(seed, 600)
    among = among_of(store, seed)
    found = sample_rows(store, among, 4, most, seed, by)
    every = np.concatenate(found.rows)
    assert np.isin(every, among).all()
    assert found.apart == (by != "time:t" and most == 40 and (by == "random" or groups_of(store, among) >= 40))
    if found.apart:
        assert len(np.unique(every)) == len(every)
    for rows in found.rows:
        assert len(np.unique(rows)) == len(rows)
        assert most is None or by.startswith("group") or abs(len(rows) - most) <= 12


def groups_of(store, among):
    groups = store.roles["group"][among]
    return len(np.unique(groups[groups >= 0])) + int((groups < 0).sum())


@pytest.mark.parametrize("seed", range(6))
def test_copies_and_groups_stay_whole_across_samples_that_are_apart(seed):
    store = random_store(seed, 900)
    among = np.arange(len(store))
    copies = row_keys([store.inputs["numbers"]])
    for by, unit in (("random", copies), ("group:g", store.roles["group"])):
        found = sample_rows(store, among, 4, 40, seed, by)
        if not found.apart:
            continue
        owner = {}
        for at, rows in enumerate(found.rows):
            for row in rows:
                if by == "random" or unit[row] >= 0:
                    assert owner.setdefault(str(unit[row]), at) == at


def test_samples_that_overlap_are_different_ones_and_the_seed_decides():
    store = random_store(1, 300)
    among = np.arange(len(store))
    one, same, other = (sample_rows(store, among, 4, 150, seed) for seed in (0, 0, 1))
    assert not one.apart
    assert [rows.tolist() for rows in one.rows] == [rows.tolist() for rows in same.rows]
    assert one.rows[0].tolist() != one.rows[1].tolist()
    assert one.rows[0].tolist() != other.rows[0].tolist()


@pytest.mark.parametrize("by", BY)
def test_folds_of_some_rows_stay_within_them(by):
    store = random_store(2, 500)
    among = among_of(store, 0)
    folds = fold_rows(store, 5, 0.1, 0, by, among)
    for parts in folds:
        assert np.isin(np.concatenate([parts.fit, parts.held, parts.test]), among).all()
        if by == "time:t":
            times = store.roles["time"]
            assert times[np.concatenate([parts.fit, parts.held])].max() < times[parts.test].min()
    tested = np.concatenate([parts.test for parts in folds])
    assert len(np.unique(tested)) == len(tested)
