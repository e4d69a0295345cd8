"""Leaks: copies of the target in any clothes are found, honest strong columns are not stopped."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from seeing import only
from sklearn import datasets

import aurify

CHECKS = ("target_leak", "sibling_target", "strong_column")


@pytest.fixture(autouse=True)
def just(monkeypatch):
    only(monkeypatch, *CHECKS)


def looked(frame, **words):
    found = [f for f in aurify.inspect(frame, target="y", **words) if f.check in CHECKS or "failed" in f.text]
    assert not [f for f in found if "failed" in f.text], found
    return found


def classes(seed, count=2, rows=600):
    made: Any = datasets.make_classification(rows, 8, n_informative=5, n_classes=count, random_state=seed)
    x, y = made
    return pl.DataFrame({**{f"f{at}": x[:, at] for at in range(8)}, "y": [f"c{k}" for k in y]}), y


def numbers(seed, rows=600):
    x, y = datasets.make_friedman1(rows, 8, noise=1.0, random_state=seed)
    return pl.DataFrame({**{f"f{at}": x[:, at] for at in range(8)}, "y": y}), y


def replaced(values, random):
    at = random.random(len(values)) < 0.05
    return np.where(at, random.permutation(values), values)


def gaps(values, random):
    return [None if random.random() < 0.05 else value for value in values.tolist()]


OF_CLASSES = {
    "text": lambda y, random: [f"Y-{k}" for k in y],
    "scaled": lambda y, random: -3.5 * y + 11,
    "replaced": lambda y, random: [f"L{k}" for k in replaced(y, random)],
    "gaps": lambda y, random: gaps(y, random),
    "threshold": lambda y, random: 2.0 * y + 1.9 * random.random(len(y)),
    "missing": lambda y, random: [None if k else v for k, v in zip(y, random.normal(size=len(y)), strict=True)],
    "many": lambda y, random: [
        f"g{(7 * v) % 31 + 31 * k}" for k, v in zip(y, random.integers(0, 8, len(y)), strict=True)
    ],
}
OF_NUMBERS = {
    "scaled": lambda y, random: 100 - 2.5 * y,
    "log": lambda y, random: np.log(y - y.min() + 1),
    "rank": lambda y, random: np.argsort(np.argsort(y)) / len(y),
    "text": lambda y, random: [f"${v * 1000:,.1f}" for v in y],
    "bins": lambda y, random: np.floor((y - y.min()) / np.ptp(y) * 30),
    "replaced": lambda y, random: replaced(y, random),
    "gaps": lambda y, random: gaps(y, random),
    "noise": lambda y, random: y + 0.05 * y.std() * random.normal(size=len(y)),
}


@pytest.mark.parametrize("kind", OF_CLASSES)
def test_what_gives_classes_away_is_found(kind):
    for seed in range(3):
        frame, y = classes(seed)
        frame = frame.with_columns(pl.Series("it's", OF_CLASSES[kind](y, np.random.default_rng(seed))))
        (found,) = looked(frame)
        assert found.columns == ("it's",)
        assert found.severity == "severe" or kind == "replaced"
        assert "--drop 'it'\"'\"'s'" in found.fix
        assert found.mend == {"techniques": {"exclude_columns": {"columns": ["it's"]}}}


@pytest.mark.parametrize("kind", OF_NUMBERS)
def test_what_gives_a_number_away_is_found(kind):
    for seed in range(3):
        frame, y = numbers(seed)
        frame = frame.with_columns(pl.Series("copy", OF_NUMBERS[kind](y, np.random.default_rng(seed))))
        (found,) = looked(frame)
        assert (found.severity, found.check, found.columns) == ("severe", "target_leak", ("copy",))


def test_a_copy_of_a_number_that_is_mostly_zero_is_found():
    frame, y = numbers(0)
    y = np.where(np.random.default_rng(0).random(len(y)) < 0.97, 0.0, y)
    (found,) = looked(frame.with_columns(y=pl.Series(y), copy=pl.Series(2 * y + 1)))
    assert (found.severity, found.columns) == ("severe", ("copy",))
    assert found.evidence["alone"][0] == pytest.approx(1.0)


def test_copies_that_hide_one_another_are_each_found():
    frame, y = numbers(0)
    random = np.random.default_rng(0)
    runs = [pl.Series(f"y{at}", y + 0.02 * y.std() * random.normal(size=len(y))) for at in (2, 3, 4)]
    found = looked(frame.with_columns(runs))
    assert sorted((f.check, f.columns[0]) for f in found) == [("sibling_target", f"y{at}") for at in (2, 3, 4)]


def test_what_tells_one_of_several_classes_is_a_warning():
    frame, y = classes(0, count=3, rows=900)
    (found,) = looked(frame.with_columns(pl.Series("is_one", (y == 1).astype(int))))
    assert (found.severity, found.check, found.evidence["class"]) == ("warning", "strong_column", "c1")
    assert found.evidence["alone"][1] > found.evidence["rest"][2]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "diabetes", "digits"])
def test_honest_tables_are_left_alone(name):
    bunch = getattr(datasets, f"load_{name}")()
    y = bunch.target if name == "diabetes" else [f"c{k}" for k in bunch.target]
    frame = pl.DataFrame({**{f"f{at}": bunch.data[:, at] for at in range(bunch.data.shape[1])}, "y": y})
    assert looked(frame) == []


def test_an_honest_column_that_says_it_all_stops_nothing():
    random = np.random.default_rng(0)
    for rows in (60, 400):
        x, other = random.choice(np.linspace(0.1, 0.5, 14), rows), random.normal(size=rows)
        for y in (np.exp(12 * x) * (1 + 0.05 * other), 3 * x + 0.02 * random.normal(size=rows)):
            frame = pl.DataFrame({"x": x, "other": other, "y": y})
            assert not [f for f in looked(frame) if f.severity == "severe"]
            assert not [f for f in looked(frame.drop("other")) if f.severity == "severe"]


def test_the_target_of_the_row_before_is_no_leak():
    y = np.cumsum(np.random.default_rng(0).normal(size=800))
    frame = pl.DataFrame({"before": np.roll(y, 1), "other": np.random.default_rng(1).normal(size=800), "y": y})
    assert looked(frame) == []


def test_dropped_columns_are_not_looked_at_and_targets_of_the_test_part_change_nothing(tmp_path):
    frame, y = classes(0)
    frame = frame.with_columns(pl.Series("copy", y * 2))
    assert looked(frame, drop=["copy"]) == []
    recipe = {"techniques": {"exclude_columns": {"columns": ["copy"]}}}
    assert looked(frame, recipe=recipe) == []
    frame.head(300).write_csv(tmp_path / "train.csv")
    told = []
    for at, label in enumerate(("c0", "c1")):
        frame.tail(300).with_columns(pl.lit(label).alias("y")).write_csv(tmp_path / f"{at}.csv")
        told.append([f.plain() for f in looked(tmp_path / "train.csv", test=tmp_path / f"{at}.csv")])
    assert told[0] == told[1] != []


@pytest.mark.slow
def test_odd_columns_break_nothing(monkeypatch):
    monkeypatch.undo()  # every check
    random = np.random.default_rng(0)
    columns = {
        "huge": np.where(random.random(80) < 0.1, 1e300, random.normal(size=80)),
        "same": np.ones(80),
        "gone": pl.Series([None] * 80, dtype=pl.Float64),
        "one": [1.0, *[None] * 79],
        "{x}": [f"k{v}" for v in random.integers(0, 3, 80)],
        "nested": [[1]] * 80,
    }
    for y in (random.normal(size=80), 1e300 * random.random(80), random.integers(0, 2, 80), random.integers(0, 18, 80)):
        looked(pl.DataFrame({**columns, "y": y}))
        looked(pl.DataFrame({**columns, "y": y}).head(30))
