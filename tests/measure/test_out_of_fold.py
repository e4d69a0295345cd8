"""Folds that keep copies together and classes even; answers by models that did not see the row."""

import numpy as np
import pytest

from aurify.core.errors import AurifyError
from aurify.measure.baselines import Examples, plain_answers
from aurify.measure.out_of_fold import folds_of, out_of_fold


def examples(count=150, classes=3, seed=0):
    """Two numbers and a category that tell the class, or the number where there are none."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(count, 2))
    codes = random.integers(-1, 3, (count, 1))
    signal = numbers[:, 0] + codes[:, 0]
    target = np.argsort(np.argsort(signal)) * classes // count if classes else signal
    return Examples(numbers=numbers, codes=codes, target=target, row=np.arange(count), weight=None)


@pytest.mark.parametrize("numeric", [False, True])
def test_copies_share_a_fold_and_strata_are_even(numeric):
    random = np.random.default_rng(1)
    target = random.integers(0, 3, 203)
    keys = np.r_[random.permutation(203), np.arange(40)].astype(np.uint64)
    first = np.argsort(keys[:203])[:40]
    both = np.r_[target, target[first]]
    fold = folds_of(keys, both.astype(np.float64) if numeric else both, 5, 0, "test")
    np.testing.assert_array_equal(fold[203:], fold[first])
    assert set(fold) == set(range(5))
    for code in range(3):
        counts = np.bincount(fold[:203][target == code], minlength=5)
        # a run of five ranks may begin in one class and end in the next
        assert counts.max() - counts.min() <= (2 if numeric else 1)


def test_folds_of_numbers_hold_the_same_spread_of_them():
    target = np.random.default_rng(2).lognormal(size=500)
    fold = folds_of(np.arange(500).astype(np.uint64), target, 5, 0, "test")
    ranked = fold[np.argsort(target)].reshape(-1, 5)
    np.testing.assert_array_equal(np.sort(ranked, axis=1), np.tile(np.arange(5), (100, 1)))


def test_folds_follow_the_seed_and_the_stream():
    keys, target = np.arange(90).astype(np.uint64), np.arange(90) % 3
    one, again = (folds_of(keys, target, 3, 4, "test") for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert (folds_of(keys, target, 3, 5, "test") != one).any()
    assert (folds_of(keys, target, 3, 4, "other") != one).any()


@pytest.mark.parametrize("model", ["linear", "boosting"])
@pytest.mark.parametrize("classes", [3, None])
def test_each_row_is_answered_by_the_model_fitted_on_the_other_folds(model, classes):
    rows = examples(classes=classes)
    fold = np.arange(150) % 3
    answers = out_of_fold(model, rows, fold, classes, 0)
    for each in range(3):
        expected = plain_answers(model, rows.take(fold != each), rows.take(fold == each), classes, 0)
        np.testing.assert_allclose(answers[fold == each], expected, atol=1e-12)
    changed = rows.target.copy()
    changed[fold == 1] = changed[fold == 1][::-1]  # what these rows say must not matter to their own answers
    again = out_of_fold(model, Examples(**{**vars(rows), "target": changed}), fold, classes, 0)
    np.testing.assert_array_equal(again[fold == 1], answers[fold == 1])
    assert (again[fold == 0] != answers[fold == 0]).any()


def test_where_the_other_folds_hold_one_class_all_are_equally_likely():
    rows = examples(count=60, classes=2)
    fold = np.where(rows.target == 1, 0, np.arange(60) % 2)  # fold 1 and what is left without fold 0: class 0 alone
    answers = out_of_fold("linear", rows, fold, 2, 0)
    np.testing.assert_array_equal(answers[fold == 0], 0.5)
    np.testing.assert_allclose(answers.sum(1), 1.0)
    assert (answers[fold == 1] != 0.5).all()


def test_a_class_that_the_other_folds_lack_has_no_chance_there():
    rows = examples(count=60, classes=3)
    fold = np.where(rows.target == 2, 0, np.arange(60) % 2)
    answers = out_of_fold("boosting", rows, fold, 3, 0)
    np.testing.assert_array_equal(answers[fold == 0, 2], 0.0)
    np.testing.assert_allclose(answers.sum(1), 1.0)


def test_the_work_can_be_stopped_before_each_fit():
    calls = []

    def check():
        calls.append(1)
        if len(calls) == 2:
            raise AurifyError("stopped")

    with pytest.raises(AurifyError, match="stopped"):
        out_of_fold("linear", examples(), np.arange(150) % 3, 3, 0, check)
