"""Cells: which rows a study learns from and is scored on, with which seeds; and how much of a training it takes."""

from dataclasses import replace

import numpy as np
import pytest

from aurify.core.errors import AurifyError
from aurify.data.splits import Parts
from aurify.study.cells import FOLDS, MOST, PILOT, WHOLE, Size, cells, evened, inner_folds, steps_of


@pytest.fixture
def recipe(lab):
    return lab.recipe("classify", {})


def drawn(lab, recipe, tmp_path, size=WHOLE, among=None, **more):
    store = lab.store("classify")
    among = np.arange(len(store)) if among is None else among
    return cells(recipe, store, among, size, tmp_path / "parts", **more)


def test_a_repeat_tests_each_row_of_its_sample_once(lab, recipe, tmp_path):
    among = np.arange(0, 240, 2)
    found = drawn(lab, recipe, tmp_path, Size(rows=100), among)
    assert len(found.all) == MOST == 4 * FOLDS
    assert [(c.repeat, c.fold) for c in found.all] == [(r, f) for r in (1, 2, 3, 4) for f in (1, 2, 3, 4, 5)]
    assert found.first(PILOT) == found.all[:10]
    for repeat in (1, 2, 3, 4):
        mine = [c.parts for c in found.all if c.repeat == repeat]
        tested = np.concatenate([parts.test for parts in mine])
        assert len(tested) == len(set(tested.tolist()))
        assert abs(len(tested) - 100) <= 5
        for parts in mine:
            every = np.concatenate([parts.fit, parts.held, parts.test])
            assert set(every.tolist()) == set(tested.tolist())
            assert set(every.tolist()) <= set(among.tolist())
    assert not found.pairing.apart
    ratios = [len(c.parts.test) / (len(c.parts.fit) + len(c.parts.held)) for c in found.all]
    assert found.pairing.ratio == pytest.approx(np.mean(ratios))
    assert found.rows("test") == 20


def test_cells_are_the_same_each_time_and_others_for_another_seed_or_afresh(lab, recipe, tmp_path):
    def plain(found):
        return [(c.path, c.seed) for c in found.all]

    one = plain(drawn(lab, recipe, tmp_path))
    assert plain(drawn(lab, recipe, tmp_path)) == one
    other = plain(drawn(lab, replace(recipe, seed=recipe.seed + 1), tmp_path))
    fresh = plain(drawn(lab, recipe, tmp_path, fresh=True))
    for found in (other, fresh):
        for at in (0, 1):
            assert {c[at] for c in found}.isdisjoint(c[at] for c in one)
    assert len({c[1] for c in one}) == MOST
    assert all(0 <= c[1] < 2**63 for c in one)


def test_parts_are_kept_as_they_are_under_a_name_of_what_they_hold(lab, recipe, tmp_path):
    found = drawn(lab, recipe, tmp_path)
    for cell in found.all:
        kept = Parts.open(tmp_path / "parts" / cell.path.rpartition("/")[2])
        for name in ("fit", "held", "test"):
            np.testing.assert_array_equal(getattr(kept, name), getattr(cell.parts, name))
    names = sorted((tmp_path / "parts").iterdir())
    assert len(names) == MOST
    drawn(lab, recipe, tmp_path)
    assert sorted((tmp_path / "parts").iterdir()) == names


def test_recipes_folds_and_number_of_folds_have_no_say(lab, recipe, tmp_path):
    folded = replace(recipe, split=replace(recipe.split, folds=3))
    assert [c.path for c in drawn(lab, folded, tmp_path).all] == [c.path for c in drawn(lab, recipe, tmp_path).all]


def test_too_few_rows_are_said_in_a_line(lab, recipe, tmp_path):
    with pytest.raises(AurifyError, match=r"a study parts 4 rows into 5 folds, and here it cannot") as error:
        drawn(lab, recipe, tmp_path, among=np.arange(4))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("size", "rows", "steps"),
    [
        (WHOLE, 320, None),
        (Size(rows=None, steps=7, examples=None), 320, 7),
        (Size(rows=None, steps=100_000, examples=None), 320, None),
        (Size(rows=None, steps=None, examples=640), 320, 20),
        (Size(rows=None, steps=None, examples=650), 320, 21),
        (Size(rows=None, steps=5, examples=640), 320, 5),
    ],
)
def test_trainings_are_cut_short_never_lengthened(size, rows, steps, lab):
    recipe = lab.recipe("classify", {}, budget={"epochs": 10, "steps": None, "batch_size": 32, "seconds": 60.0})
    assert steps_of(recipe, rows) == (100, 32)
    capped = size.capped(recipe, rows)
    assert capped.budget.steps == steps
    assert capped.budget.seconds is None, "results must not depend on the clock"
    assert replace(capped, budget=recipe.budget) == recipe
    assert steps_of(capped, rows)[0] == (steps or 100)


def test_of_many_rows_a_search_is_scored_on_two_of_five_folds_where_nobody_says(lab, recipe, tmp_path, monkeypatch):
    def parted(folds):
        store, among = lab.store("classify"), np.arange(240)
        return [c.parts for c in inner_folds(recipe, store, among, folds, "tune", tmp_path / "parts").all]

    few = parted(None)
    monkeypatch.setattr("aurify.study.cells.MANY_ROWS", 240)
    many = parted(None)
    assert [len(few), len(many), len(parted(4))] == [3, 2, 4]
    assert [round(len(parts.test), -1) for parts in many] == [50, 50]
    assert not set(many[0].test.tolist()) & set(many[1].test.tolist())
    assert [parts.test.tolist() for parts in many] == [parts.test.tolist() for parts in parted(5)[:2]]


def test_folds_that_differ_in_a_few_rows_learn_from_equally_many():
    def folds(*sizes):
        rows = np.arange(3000)
        return [Parts(rows[:size], rows[size : size + 10], rows[-10:]) for size in sizes]

    found = evened(folds(1920, 1921, 1930), 5)
    assert [len(parts.fit) for parts in found] == [1920] * 3
    for parts, before in zip(found, folds(1920, 1921, 1930), strict=True):
        assert (np.diff(parts.fit) > 0).all()
        assert set(parts.fit) <= set(before.fit)
        assert len(parts.held) == len(parts.test) == 10
    again, other = (evened(folds(1920, 1921, 1930), seed)[2].fit for seed in (5, 6))
    np.testing.assert_array_equal(again, found[2].fit)
    assert set(other) != set(again)
    apart = folds(1900, 1930)
    assert evened(apart, 5) is apart, "many rows are not thrown away"
