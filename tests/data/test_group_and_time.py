"""Groups stay whole and time runs forward, whatever the table; folds take turns; shown on many random ones."""

import numpy as np
import pytest
from grouped import random_store, store_of

from aurify.core.errors import AurifyError
from aurify.data.splits import fold_rows, part_rows


def sides(parts):
    return {row: side for side in ("fit", "held", "test") for row in getattr(parts, side).tolist()}


BY = ("group:g", "time:t")


@pytest.mark.parametrize("seed", range(20))
def test_no_group_straddles_and_every_row_is_in_one_part(seed):
    store = random_store(seed)
    parts = part_rows(store, 0.2, 0.15, seed, "group:g")
    side = sides(parts)
    assert len(side) == len(parts.fit) + len(parts.held) + len(parts.test) == len(store)
    for group in np.unique(store.roles["group"]):
        if group >= 0:
            assert len({side[row] for row in np.flatnonzero(store.roles["group"] == group)}) == 1


@pytest.mark.parametrize("seed", range(20))
def test_time_runs_from_fit_over_held_to_test_and_ties_stay_together(seed):
    store = random_store(seed)
    time = store.roles["time"]
    parts = part_rows(store, 0.2, 0.15, seed, "time:t")
    assert time[parts.fit].max() < time[parts.held].min()
    assert time[parts.held].max() < time[parts.test].min()
    assert len(sides(parts)) == (~np.isnan(time)).sum()
    assert any(f"{np.isnan(time).sum()} rows without a time in 't' are left out" in note for note in parts.notes)
    widest = np.unique(time[~np.isnan(time)], return_counts=True)[1].max()
    assert abs(len(parts.test) - 0.2 * len(sides(parts))) <= widest


def test_shares_and_classes_of_a_split_by_group_are_near_those_asked_for():
    off = []
    for seed in range(10):
        random = np.random.default_rng(seed)
        group = random.integers(0, 80, 2000)
        target = (random.random(2000) < np.where(group % 2, 0.1, 0.5)).astype(np.int64)
        store = store_of(random.normal(size=(2000, 2)), target, 2, group=group)
        parts = part_rows(store, 0.2, 0.15, seed, "group:g")
        assert abs(len(parts.test) - 400) < 40
        off.append(abs(target[parts.test].mean() - target.mean()))
    assert np.mean(off) < 0.02  # groups drawn without a look at their classes: 0.045


def test_large_groups_are_tested_as_often_as_their_share():
    """A draw that took the largest group first, or never, would measure another population than the table's."""
    group = np.repeat(np.arange(41), [100] + [10] * 40)
    store = store_of(np.random.default_rng(0).normal(size=(500, 2)), np.arange(500) % 2, 2, group=group)
    hits = sum(0 in group[part_rows(store, 0.3, 0.2, seed, "group:g").test] for seed in range(60))
    assert 5 <= hits <= 40


@pytest.mark.parametrize("by", ["random", *BY])
def test_same_seed_same_parts_and_names_of_groups_do_not_matter(by):
    store = random_store(1)
    renamed = store_of(
        np.array(store.inputs["numbers"]),
        store.target,
        2,
        group=np.where(store.roles["group"] < 0, -1, 999 - store.roles["group"]),
        time=store.roles["time"],
    )
    for one, two in (
        (part_rows(store, 0.2, 0.15, 5, by), part_rows(renamed, 0.2, 0.15, 5, by)),
        *zip(fold_rows(store, 4, 0.15, 5, by), fold_rows(renamed, 4, 0.15, 5, by), strict=True),
    ):
        assert sides(one) == sides(two)
    assert by == "time:t" or sides(part_rows(store, 0.2, 0.15, 6, by)) != sides(part_rows(store, 0.2, 0.15, 5, by))


@pytest.mark.parametrize("by", ["random", *BY])
def test_one_changed_cell_moves_no_row(by):
    store = random_store(2)
    numbers = np.array(store.inputs["numbers"])
    alone = np.setdiff1d(np.arange(len(store)), np.flatnonzero(np.isin(numbers[:, 0], numbers[:30, 0])))[3]
    numbers[alone] = 1e9
    other = store_of(numbers, store.target, 5, **store.roles)
    assert sides(part_rows(other, 0.2, 0.15, 5, by)) == sides(part_rows(store, 0.2, 0.15, 5, by))
    for one, two in zip(fold_rows(other, 3, 0.15, 5, by), fold_rows(store, 3, 0.15, 5, by), strict=True):
        assert sides(one) == sides(two)


@pytest.mark.parametrize("by", BY)
def test_rows_of_the_test_part_have_no_say_in_which_rows_are_held_out(by):
    store = random_store(0)
    parts = part_rows(store, 0.2, 0.15, 5, by)
    numbers = np.array(store.inputs["numbers"])
    numbers[parts.test] = np.nan
    other = store_of(numbers, store.target, 0, **store.roles)
    assert sides(part_rows(other, 0.2, 0.15, 5, by)) == sides(parts)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("by", ["random", "group:g"])
def test_folds_partition_the_rows_and_each_has_whole_parts_of_its_own(by, seed):
    store = random_store(seed)
    folds = fold_rows(store, 5, 0.15, seed, by)
    np.testing.assert_array_equal(np.sort(np.concatenate([f.test for f in folds])), np.arange(len(store)))
    units = (
        store.roles["group"] if by == "group:g" else np.unique(store.inputs["numbers"][:, 0], return_inverse=True)[1]
    )
    for parts in folds:
        side = sides(parts)
        assert len(side) == len(parts.fit) + len(parts.held) + len(parts.test) == len(store)
        for unit in np.unique(units[units >= 0]):
            assert len({side[row] for row in np.flatnonzero(units == unit)}) == 1


@pytest.mark.parametrize("seed", range(12))
def test_folds_by_time_learn_from_everything_before_and_nothing_after(seed):
    store = random_store(seed)
    time = store.roles["time"]
    folds = fold_rows(store, 5, 0.15, seed, "time:t")
    tested = np.concatenate([f.test for f in folds])
    assert len(np.unique(tested)) == len(tested)
    for parts in folds:
        earlier = np.flatnonzero(time < time[parts.test].min())
        np.testing.assert_array_equal(np.sort(np.r_[parts.fit, parts.held]), earlier)
        assert time[parts.fit].max() < time[parts.held].min()
    ends = [time[f.test].max() for f in folds]
    starts = [time[f.test].min() for f in folds]
    assert all(end < start for end, start in zip(ends, starts[1:], strict=False))
    known = (~np.isnan(time)).sum()
    assert ends[-1] == np.nanmax(time)
    assert all(abs(len(f.test) - known / 6) < 0.5 * known / 6 for f in folds)


def test_folds_hold_the_classes_in_proportion():
    random = np.random.default_rng(0)
    target = random.choice(5, 500, p=[0.5, 0.2, 0.2, 0.06, 0.04]).astype(np.int64)
    for parts in fold_rows(store_of(random.normal(size=(500, 2)), target, 5), 5, 0.15, 3):
        for code in range(5):
            assert abs((target[parts.test] == code).sum() - (target == code).sum() / 5) <= 1
    group = random.integers(0, 100, 500)
    for parts in fold_rows(store_of(random.normal(size=(500, 2)), target, 5, group=group), 5, 0.15, 3, "group:g"):
        assert abs(len(parts.test) - 100) <= 5
        assert abs((target[parts.test] == 0).sum() - (target == 0).sum() / 5) <= 5


def test_folds_of_groups_balance_as_well_as_scikit_learn_does():
    from sklearn.model_selection import StratifiedGroupKFold

    def spread(target, tests):
        return np.std([[(target[t] == c).sum() / (target == c).sum() for c in range(5)] for t in tests], axis=0).mean()

    ours, theirs = [], []
    for seed in range(2, 30, 3):
        store = random_store(seed, 500)
        group = np.where(store.roles["group"] < 0, 1000 + np.arange(500), store.roles["group"])
        ours.append(spread(store.target, [f.test for f in fold_rows(store, 5, 0.15, seed, "group:g")]))
        judge = StratifiedGroupKFold(5, shuffle=True, random_state=seed)
        theirs.append(spread(store.target, [t for _, t in judge.split(np.zeros((500, 1)), store.target, group)]))
    assert np.mean(ours) <= 1.1 * np.mean(theirs)


def test_times_of_very_uneven_size_are_still_dealt_to_every_fold():
    time = np.repeat(np.arange(8.0), [200, 10, 10, 10, 10, 10, 10, 10])
    target = np.random.default_rng(0).normal(size=270)
    folds = fold_rows(store_of(target[:, None] * 2, target, 0, time=time), 4, 0.15, 0, "time:t")
    assert [len(np.unique(time[f.test])) > 0 for f in folds] == [True] * 4
    assert np.unique(time[np.r_[folds[0].fit, folds[0].held]]).size >= 2


def test_a_group_of_nearly_all_rows_is_learnt_from():
    group = np.repeat([0, 1, 2], [280, 10, 10])
    store = store_of(np.random.default_rng(0).normal(size=(300, 2)), np.arange(300) % 2, 2, group=group)
    for seed in range(10):
        parts = part_rows(store, 0.2, 0.15, seed, "group:g")
        assert len(parts.fit)
        assert len(parts.held)
        assert len(parts.test)


@pytest.mark.parametrize(
    ("roles", "by", "said"),
    [
        ({"group": np.arange(300) % 2}, "group:g", "'g' holds 2 different groups.*at least 3"),
        ({"time": np.arange(300) % 2 * 1.0}, "time:t", "'t' holds 2 different times.*at least 3"),
        ({"time": np.full(300, np.nan)}, "time:t", "'t' holds 0 different times"),
    ],
)
def test_too_few_groups_or_times_are_refused(roles, by, said):
    store = store_of(np.random.default_rng(0).normal(size=(300, 2)), np.arange(300) // 7 % 2, 2, **roles)
    for part in (lambda: part_rows(store, 0.2, 0.15, 0, by), lambda: fold_rows(store, 3, 0.15, 0, by)):
        with pytest.raises(AurifyError, match=said):
            part()


def test_more_folds_than_groups_times_or_rows_are_refused():
    random = np.random.default_rng(0)
    store = store_of(
        random.normal(size=(40, 2)), np.arange(40) % 2, 2, group=np.arange(40) % 4, time=np.arange(40) % 5.0
    )
    for by, said in (("group:g", "need as many groups, the data has 4"), ("time:t", "need 7 different times.* has 5")):
        with pytest.raises(AurifyError, match=said):
            fold_rows(store, 5, 0.15, 0, by)
    with pytest.raises(AurifyError, match="too few or too alike for 50 folds"):
        fold_rows(store, 50, 0.15, 0)
    test = store_of(random.normal(size=(40, 2)), np.arange(40) % 2, 2, np.arange(40) > 30)
    with pytest.raises(AurifyError, match="choose one"):
        fold_rows(test, 3, 0.15, 0)


def test_held_out_rows_of_a_split_with_a_test_file_follow_groups_and_time():
    random = np.random.default_rng(0)
    test, group, time = np.arange(300) >= 240, random.integers(0, 30, 300), random.permutation(300) * 1.0
    time[250] = np.nan  # a row of the test file is measured whenever it was
    store = store_of(random.normal(size=(300, 2)), np.arange(300) % 2, 2, test, group=group, time=time)
    for by in BY:
        parts = part_rows(store, 0.2, 0.15, 3, by)
        np.testing.assert_array_equal(parts.test, np.arange(240, 300))
    assert time[parts.fit].max() < time[parts.held].min()
    parts = part_rows(store, 0.2, 0.15, 3, "group:g")
    assert not np.isin(group[parts.fit], group[parts.held]).any()
