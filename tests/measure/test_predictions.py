"""Predictions survive every way in and out unchanged, and refuse what cannot be one."""

from dataclasses import fields, replace

import numpy as np
import polars as pl
import pytest

from aurify.core.errors import AurifyError
from aurify.measure.predictions import Predictions

CLASSES = ("否", "", "a b", "p_x")


def classified(count=50, seed=0):
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(len(CLASSES)), count)
    return Predictions(
        row=random.permutation(count).astype(np.int64),
        target=random.integers(0, len(CLASSES), count),
        prediction=random.integers(0, len(CLASSES), count),
        probabilities=probabilities,
        classes=CLASSES,
        fold=np.arange(count) % 3 + 1,
        seed=7,
    )


def regressed(count=50, seed=0):
    random = np.random.default_rng(seed)
    return Predictions(
        row=np.arange(count),
        target=random.normal(size=count) * 1e300,
        prediction=random.normal(size=count) * 1e-300,
        probabilities=None,
        classes=None,
    )


CASES = {
    "classes": classified(),
    "regression": regressed(),
    "no target": replace(classified(), target=None),
    "no target, regression": replace(regressed(), target=None),
    "no probabilities": replace(classified(), probabilities=None),
    "no rows": replace(classified(0), fold=None, seed=0),
    "one row": classified(1),
}


def assert_same(first, second):
    for field in fields(Predictions):
        one, other = getattr(first, field.name), getattr(second, field.name)
        if isinstance(one, np.ndarray):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
        else:
            assert one == other, field.name


@pytest.mark.parametrize("predictions", CASES.values(), ids=CASES)
def test_predictions_survive_a_frame_exactly(predictions):
    assert_same(predictions, Predictions.from_frame(predictions.to_frame(), predictions.classes))


@pytest.mark.parametrize("predictions", CASES.values(), ids=CASES)
def test_predictions_survive_a_file_exactly_with_their_class_order(predictions, tmp_path):
    predictions.write(tmp_path / "predictions.parquet")
    assert_same(predictions, Predictions.read(tmp_path / "predictions.parquet"))


def test_the_frame_names_classes_rather_than_codes():
    predictions = classified()
    frame = predictions.to_frame()
    assert frame.columns == ["row", "target", "prediction", *(f"p_{name}" for name in CLASSES), "fold", "seed"]
    assert frame["target"].to_list() == [CLASSES[code] for code in predictions.target]
    assert frame["p_a b"].to_numpy().tolist() == predictions.probabilities[:, 2].tolist()


def test_writing_replaces_the_old_file_and_leaves_nothing_else(tmp_path):
    for seed in (0, 1):
        classified(seed=seed).write(tmp_path / "predictions.parquet")
    assert [file.name for file in tmp_path.iterdir()] == ["predictions.parquet"]
    assert_same(classified(seed=1), Predictions.read(tmp_path / "predictions.parquet"))


@pytest.mark.parametrize("damage", ["cut", "other table", "absent"])
def test_an_unreadable_file_is_named_in_one_line(damage, tmp_path):
    path = tmp_path / "predictions.parquet"
    if damage == "cut":
        classified().write(path)
        path.write_bytes(path.read_bytes()[:200])
    elif damage == "other table":
        pl.DataFrame({"row": [1]}).write_parquet(path)
    with pytest.raises(AurifyError, match=r"predictions\.parquet is not a readable table"):
        Predictions.read(path)


def test_taking_rows_keeps_order_repeats_and_masks():
    predictions = classified()
    index = np.array([4, 4, 0])
    taken = predictions.take(index)
    np.testing.assert_array_equal(taken.row, predictions.row[[4, 4, 0]])
    np.testing.assert_array_equal(taken.probabilities, predictions.probabilities[[4, 4, 0]])
    assert len(predictions.take(predictions.target == 1)) == (predictions.target == 1).sum()
    assert (taken.fold.tolist(), taken.seed) == ([2, 2, 1], 7)


@pytest.mark.parametrize("predictions", [classified(), regressed(), replace(regressed(), target=None)])
def test_predictions_of_folds_are_each_ones_own_one_after_another(predictions):
    parts = [replace(predictions.take(np.arange(at, 50, 3)), fold=None) for at in range(3)]
    joined = Predictions.of_folds(parts)
    for at, part in enumerate(parts, 1):
        assert_same(replace(joined.take(joined.fold == at), fold=None), part)
    assert len(joined) == 50


@pytest.mark.parametrize(
    "mistake",
    [
        {"target": np.full(50, 4)},
        {"prediction": np.full(50, -1)},
        {"prediction": np.zeros(49, np.int64)},
        {"prediction": np.zeros(50)},
        {"probabilities": np.full((50, 4), 0.5)},
        {"probabilities": np.full((50, 4), np.nan)},
        {"probabilities": np.full((50, 3), 1 / 3)},
        {"classes": ("a", "a", "b", "c")},
        {"classes": None},
        {"fold": np.zeros(49, np.int64)},
    ],
)
def test_what_cannot_be_predictions_is_refused(mistake):
    with pytest.raises(AssertionError):
        replace(classified(), **mistake)


def test_a_regression_that_is_not_finite_is_refused():
    with pytest.raises(AssertionError):
        replace(regressed(), prediction=np.full(50, np.inf))
