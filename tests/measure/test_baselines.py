"""The baselines learn what there is to learn, and answer quietly on tables that break naive ones."""

import logging

import numpy as np
import pytest

from aurify.measure import encoding
from aurify.measure.baselines import Examples, fit_baselines
from aurify.measure.encoding import design_matrices, merge_rare, one_hot, scaled_numbers
from aurify.measure.intervals import scores

THREE = ("a", "b", "c")


def examples(numbers=None, codes=None, target=None, weight=None, start=0):
    count = len(target)
    return Examples(
        numbers=np.empty((count, 0)) if numbers is None else np.asarray(numbers, dtype=np.float64),
        codes=np.empty((count, 0), np.int64) if codes is None else np.asarray(codes, dtype=np.int64),
        target=np.asarray(target),
        row=np.arange(start, start + count),
        weight=weight,
    )


def table(count=300, classes=3, seed=0):
    """Two informative numbers with gaps, one category of four, one of noise; class codes as the target."""
    random = np.random.default_rng(seed)
    target = random.integers(0, classes, count)
    numbers = random.normal(size=(count, 2)) + 2 * target[:, None]
    numbers[random.random(count) < 0.1, 0] = np.nan
    codes = np.column_stack([(target + random.integers(0, 2, count)) % 4, random.integers(-2, 5, count)])
    return numbers, codes, target


def answers(train, test, classes=THREE, seed=0):
    found = fit_baselines(train, test, classes=classes, seed=seed, check=lambda: None)
    assert list(found) == ["mean" if classes is None else "majority", "linear", "boosting"]
    for predictions in found.values():
        np.testing.assert_array_equal(predictions.row, test.row)
        np.testing.assert_array_equal(predictions.target, test.target)
        assert np.isfinite(predictions.prediction).all()
        if classes is not None:
            assert predictions.probabilities.shape == (len(test), len(classes))
            np.testing.assert_allclose(predictions.probabilities.sum(axis=1), 1, atol=1e-12)
            np.testing.assert_array_equal(predictions.prediction, predictions.probabilities.argmax(axis=1))
    return found


def test_classifiers_learn_and_the_majority_says_the_class_shares():
    numbers, codes, target = table()
    train, test = examples(numbers, codes, target), examples(*table(seed=1), start=300)
    found = answers(train, test)
    np.testing.assert_allclose(found["majority"].probabilities, np.tile(np.bincount(target) / 300, (300, 1)))
    for name in ("linear", "boosting"):
        assert (found[name].prediction == test.target).mean() > 0.8


def test_regressors_learn_and_the_mean_is_the_training_mean():
    numbers, codes, klass = table()
    others, other_codes, other_class = table(seed=1)
    found = answers(
        examples(numbers, codes, klass * 10.0),
        examples(others, other_codes, other_class * 10.0, start=300),
        classes=None,
    )
    np.testing.assert_allclose(found["mean"].prediction, klass.mean() * 10)
    assert scores(found["mean"])["r2"].value <= 0
    for name in ("linear", "boosting"):
        assert scores(found[name])["r2"].value > 0.7


def test_the_same_seed_gives_the_same_answers():
    # above 10,000 rows the trees hold rows back by the seed
    train, test = examples(*table(11_000)), examples(*table(500, seed=1))
    first, second, other = (answers(train, test, seed=seed)["boosting"] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.probabilities, second.probabilities)
    assert not np.array_equal(first.probabilities, other.probabilities)
    assert first.seed == 1


@pytest.mark.parametrize("classes", [THREE, None])
@pytest.mark.parametrize("missing", ["numbers", "codes", "both"])
def test_a_kind_of_column_may_be_absent(missing, classes):
    numbers, codes, target = table()
    numbers = None if missing in ("numbers", "both") else numbers
    codes = None if missing in ("codes", "both") else codes
    target = target if classes else target * 1.5
    found = answers(examples(numbers, codes, target), examples(numbers, codes, target), classes)
    if missing == "both" and classes:
        np.testing.assert_allclose(found["linear"].probabilities, found["majority"].probabilities, atol=1e-4)


@pytest.mark.parametrize("classes", [THREE, None])
def test_hopeless_columns_are_survived(classes):
    numbers, _, target = table()
    random = np.random.default_rng(0)
    hopeless = np.column_stack(
        [
            np.full(300, np.nan),  # nothing known
            np.full(300, 0.1),  # constant
            np.where(random.random(300) < 0.5, 0.1, np.nan),  # constant with gaps
            np.where(random.random(300) < 0.1, np.inf, numbers[:, 1]),
            numbers[:, 1] * 1e300,
            1.7e18 + random.integers(0, 10**9, 300),  # dates in nanoseconds
            np.full(300, 5e-324),
        ]
    )
    odd_codes = np.column_stack(
        [np.full(300, -1), np.full(300, -2), np.zeros(300), np.arange(300), np.arange(300) * 10**15]
    )
    target = target if classes else target * 1.5
    train = examples(hopeless, odd_codes, target)
    test = examples(hopeless[::-1] * 1e5, odd_codes + 1, target, start=300)
    answers(train, test, classes)


def test_classes_that_training_lacks_keep_their_place_with_no_chance():
    numbers, codes, target = table()
    five = ("v", "w", "x", "y", "z")
    # training knows w, y, z only
    found = answers(examples(numbers, codes, np.array([1, 3, 4])[target]), examples(numbers, codes, target), five)
    for predictions in found.values():
        assert (predictions.probabilities[:, [0, 2]] == 0).all()
        assert (predictions.probabilities[:, [1, 3, 4]] > 0).all()


@pytest.mark.parametrize("count", [300, 3000, 11_000])
def test_a_class_with_one_training_row_is_survived(count):
    numbers, codes, target = table(count, classes=2)
    target[17] = 2
    found = answers(examples(numbers, codes, target), examples(numbers, codes, target))
    # without a penalty on their leaves the trees would be worse than the majority
    for name in ("linear", "boosting"):
        assert scores(found[name], draws=200)["log_loss"].value < 0.3


@pytest.mark.parametrize("count", [300, 11_000])
def test_one_positive_row_is_survived(count):
    numbers, codes, target = table(count)
    found = answers(
        examples(numbers, codes, (np.arange(count) == 17).astype(np.int64)),
        examples(numbers, codes, (target > 1).astype(np.int64)),
        ("n", "p"),
    )
    assert found["boosting"].probabilities[:, 1].mean() < 0.05


def test_a_single_training_class_is_answered_for_everyone():
    numbers, codes, target = table()
    found = answers(examples(numbers, codes, np.full(300, 1)), examples(numbers, codes, target))
    for predictions in found.values():
        np.testing.assert_array_equal(predictions.probabilities, np.tile([0.0, 1.0, 0.0], (300, 1)))


@pytest.mark.parametrize("classes", [THREE, None])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_handful_of_training_rows_is_enough_to_answer(count, classes):
    numbers, codes, target = table()
    target = np.append([0, 1, 2], target[3:])
    target = target if classes else target * 1.5
    answers(examples(numbers[:count], codes[:count], target[:count]), examples(numbers, codes, target), classes)


@pytest.mark.parametrize("classes", [THREE, None])
def test_rows_without_weight_do_not_count_and_others_count_by_it(classes):
    numbers, codes, target = table()
    target = target if classes else target * 1.5
    weight = np.where(np.arange(300) < 200, 2.0, 0.0)
    test = examples(numbers, codes, target)
    wrong = np.where(weight > 0, target, 0)
    weighed = answers(examples(numbers, codes, wrong, weight=weight), test, classes)
    part = answers(examples(numbers[:200], codes[:200], target[:200], weight=np.full(200, 2.0)), test, classes)
    for name in weighed:
        np.testing.assert_array_equal(weighed[name].prediction, part[name].prediction)
    name = "mean" if classes is None else "majority"
    values = weighed[name].prediction if classes is None else weighed[name].probabilities[0]
    np.testing.assert_allclose(values, target[:200].mean() if classes is None else np.bincount(target[:200]) / 200)


def test_the_unit_of_the_weights_does_not_matter():
    numbers, codes, target = table()
    weight = np.random.default_rng(0).integers(1, 9, 300) / 8
    plain, tiny = (
        answers(examples(numbers, codes, target, weight=weight * unit), examples(numbers, codes, target))
        for unit in (1.0, 2.0**-20)
    )
    for name in plain:
        np.testing.assert_array_equal(plain[name].probabilities, tiny[name].probabilities)


def test_the_work_can_be_stopped_between_baselines():
    calls = []

    def check():
        calls.append(None)
        if len(calls) == 2:
            raise KeyboardInterrupt

    train = examples(*table())
    with pytest.raises(KeyboardInterrupt):
        fit_baselines(train, train, classes=THREE, seed=0, check=check)
    assert len(calls) == 2


def test_a_linear_model_that_does_not_converge_is_logged_and_not_raised(caplog, monkeypatch):
    monkeypatch.setattr("aurify.measure.baselines.MOST_ITERATIONS", 1)
    caplog.set_level(logging.INFO, logger="aurify.measure.baselines")
    train = examples(*table())
    answers(train, train)
    assert "the linear baseline stopped before it converged" in caplog.text


def test_the_rarest_categories_are_merged_and_strangers_are_told_apart_from_gaps():
    train = np.append(np.repeat(np.arange(1000, 1300), 2), [1299, -1, -2])
    test = np.array([1000, 1253, 1254, 1299, 5, 5000, -1, -2])
    merged, other, count = merge_rare(train, test)
    assert count == 255
    # 1299 is the commonest and so kept; of the rest, equally rare, the first 253 are
    assert other.tolist() == [0, 254, 254, 253, -2, -2, -1, -2]
    assert set(merged) == {*range(255), -1, -2}


def test_one_hot_places_each_category_once_and_ignores_strangers():
    train, test = np.array([[5, 0], [9, -1], [5, 1]]), np.array([[9, 1], [7, -2], [-1, -1]])
    first, second = (matrix.toarray() for matrix in one_hot(train, test))
    # columns: 5, 9, missing | 0, 1, missing
    np.testing.assert_array_equal(first, [[1, 0, 0, 1, 0, 0], [0, 1, 0, 0, 0, 1], [1, 0, 0, 0, 1, 0]])
    np.testing.assert_array_equal(second, [[0, 1, 0, 0, 1, 0], [0, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 1]])


def test_numbers_are_filled_with_the_training_median_and_scaled_by_training_rows_only():
    train, test = np.array([[1.0], [2.0], [6.0], [np.nan]]), np.array([[np.nan], [100.0]])
    first, second = scaled_numbers(train, test)
    filled = np.array([1.0, 2.0, 6.0, 2.0])
    expected = (np.append(filled, [2.0, 100.0]) - filled.mean()) / filled.std()
    np.testing.assert_allclose(np.append(first[:, 0], second[:, 0]), expected, rtol=1e-12)
    np.testing.assert_array_equal(np.append(first[:, 1], second[:, 1]), [0, 0, 0, 1, 1, 0])


@pytest.mark.parametrize("classes", [THREE, None])
def test_a_wide_sparse_design_gives_the_answers_of_a_dense_one(monkeypatch, classes):
    numbers, codes, target = table()
    target = target if classes else target * 1.5
    train = examples(numbers, codes, target)
    dense = answers(train, train, classes)["linear"]
    monkeypatch.setattr(encoding, "DENSE_LIMIT", 0)
    first, second = design_matrices((numbers, numbers), (codes, codes))
    assert first.format == second.format == "csr"
    sparse = answers(train, train, classes)["linear"]
    if classes is None:
        np.testing.assert_allclose(dense.prediction, sparse.prediction, atol=1e-3)
    else:
        np.testing.assert_allclose(dense.probabilities, sparse.probabilities, atol=1e-3)
