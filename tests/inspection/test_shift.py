"""Training rows against a test file: what is found of it, and that nothing is where nothing is."""

import json
from functools import cache

import numpy as np
import polars as pl
import pytest
from scipy import stats
from seeing import only
from sklearn import datasets
from sklearn.metrics import roc_auc_score

import aurify
from aurify.core.words import keep
from aurify.measure.two_samples import apart, area, area_of_folds, area_with_interval, distance, holm


@pytest.fixture(autouse=True)
def just(monkeypatch):
    only(monkeypatch, "shift", "joint_shift")


@cache
def rows(seed, count=1000):
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, 4))
    columns = {f"x{at}": x[:, at] for at in range(4)}
    columns |= {"c": random.choice(list("abcde"), count), "y": (x[:, 0] + random.normal(size=count) > 0).astype(int)}
    return pl.DataFrame(columns)


def compared(train, test, folder, target="y", **words):
    test.write_csv(folder / "test.csv")
    found = aurify.inspect(train, target, test=folder / "test.csv", **words)
    assert not [f for f in found if "failed" in str(f)]
    json.dumps(keep([f.plain() for f in found]), allow_nan=False)
    return [f for f in found if f.check in ("shift", "joint_shift")]


def gone(share, seed):
    lost = pl.Series(np.random.default_rng(seed).random(300) < share)
    return pl.when(lost).then(None).otherwise(pl.col("x1")).alias("x1")


def strange(share, seed):
    new = pl.Series(np.random.default_rng(seed).random(300) < share)
    return pl.when(new).then(pl.lit("new")).otherwise(pl.col("c")).alias("c")


PLANTED = {
    "moved by half a deviation": lambda seed: pl.col("x1") + 0.5,
    "spread twice as wide": lambda seed: pl.col("x1") * 2.5,
    "in thousands": lambda seed: pl.col("x1") * 1000,
    "all missing": lambda seed: pl.lit(None, dtype=pl.Float64).alias("x1"),
    "three tenths missing": lambda seed: gone(0.3, seed),
    "constant": lambda seed: pl.lit(0.5).alias("x1"),
    "a tenth new": lambda seed: strange(0.1, seed),
}


def test_columns_that_no_longer_go_together_are_a_warning_of_few_rows_too(tmp_path):
    for seed in range(4):
        random = np.random.default_rng(seed)
        frame = rows(seed, 200).with_columns(x2=pl.col("x1") + pl.Series(random.normal(size=200) * 0.5))
        assert compared(frame[:140], frame[140:], tmp_path) == []
        (found,) = compared(frame[:140], frame[140:].with_columns(pl.col("x2").shuffle(seed)), tmp_path)
        assert (found.check, found.severity) == ("joint_shift", "warning")
        assert {"x1", "x2"} <= set(found.columns)


def test_another_unit_of_a_column_of_mostly_zeros_is_found(tmp_path):
    frame = rows(7).with_columns(x1=pl.when(pl.col("x2") > 1.2).then(pl.col("x1").abs() + 1).otherwise(0.0))
    (found,) = compared(frame[:700], frame[700:].with_columns(pl.col("x1") * 100), tmp_path)
    assert (found.check, found.columns) == ("shift", ("x1",))
    assert "unit" in found.text


@pytest.mark.slow
@pytest.mark.parametrize("name", PLANTED)
def test_each_change_of_a_column_is_a_warning_that_names_it(name, tmp_path):
    for seed in range(8):
        change = PLANTED[name](seed)
        found = compared(rows(seed)[:700], rows(seed)[700:].with_columns(change), tmp_path)
        column = "c" if "new" in name else "x1"
        named = [f.columns for f in found if f.severity == "warning"]
        assert named == [(column,)], f"seed {seed}: {found}"


@pytest.mark.slow
def test_what_changed_is_said_in_words_of_its_own(tmp_path):
    train, test = rows(0)[:700], rows(0)[700:]
    said = {name: str(compared(train, test.with_columns(PLANTED[name](0)), tmp_path)[0]) for name in PLANTED}
    assert "no value at all in 300 test rows" in said["all missing"]
    assert "the same value in all 300 test rows" in said["constant"]
    assert "another unit" in said["in thousands"]
    assert "never saw" in said["a tenth new"]


@pytest.mark.slow
def test_changed_correlation_is_found_though_no_column_moves(tmp_path):
    for seed in range(8):
        test = rows(seed)[700:].with_columns(x2=0.9 * pl.col("x3") + 0.43 * pl.col("x2"))
        (found,) = compared(rows(seed)[:700], test, tmp_path)
        assert (found.check, found.severity) == ("joint_shift", "warning")
        assert {"x2", "x3"} <= set(found.columns)


@pytest.mark.slow
def test_halves_of_one_table_are_alike(tmp_path):
    tables = [datasets.load_wine(), datasets.load_breast_cancer(), datasets.load_diabetes()]
    for at, table in enumerate(tables):
        for seed in range(6):
            mixed = np.random.default_rng(seed).permutation(len(table.target))
            names = [f"x{place}" for place in range(table.data.shape[1])]
            frame = pl.DataFrame(table.data[mixed], schema=names).with_columns(y=pl.Series(table.target[mixed]))
            half = len(mixed) // 2
            assert compared(frame[:half], frame[half:], tmp_path) == [], f"table {at}, seed {seed}"


@pytest.mark.slow
def test_categories_of_few_rows_are_new_by_chance_alone(tmp_path):
    for seed in range(6):
        random = np.random.default_rng(seed)
        town = pl.Series("town", [f"t{n}" for n in random.zipf(1.5, 1000).clip(max=10**6)])
        frame = rows(seed).with_columns(town)
        assert compared(frame[:500], frame[500:], tmp_path) == []


@pytest.mark.slow
def test_test_rows_without_targets_are_compared_and_their_targets_are_not(tmp_path):
    train, test = rows(3)[:700], rows(3)[700:]
    moved = test.with_columns(x1=pl.col("x1") + 1)
    told = [
        [f.plain() for f in compared(train, each, tmp_path)]
        for each in (moved, moved.drop("y"), moved.with_columns(y=pl.lit(None)), moved.with_columns(y=1))
    ]
    assert told[0]
    assert told[1:] == told[:1] * 3
    assert compared(train.drop("y"), moved.drop("y"), tmp_path, target=None)[0].columns == ("x1",)


def test_a_later_test_file_is_a_note_about_its_dates(tmp_path):
    days = pl.datetime_range(pl.datetime(2020, 1, 1), pl.datetime(2022, 9, 26), "1d", eager=True).dt.date()
    frame = rows(4).with_columns(day=days)
    (found,) = compared(frame[:700], frame[700:], tmp_path)
    assert (found.severity, found.columns) == ("note", ("day",))


def test_a_split_by_time_tells_shift_as_a_note_and_a_random_one_nothing(tmp_path):
    frame = rows(5).with_columns(t=pl.int_range(1000) // 2, x1=pl.col("x1") + pl.int_range(1000) / 250)
    found = aurify.inspect(frame, "y", split="time:t")
    assert {f.severity for f in found.where(check="shift")} == {"note"}
    assert not aurify.inspect(frame, "y").where(check="shift")


@pytest.mark.slow
def test_odd_columns_are_compared_without_an_error(monkeypatch, tmp_path):
    monkeypatch.undo()  # every check
    odd = rows(6).with_columns(
        empty=pl.lit(None, dtype=pl.Float64), huge=pl.col("x1") * 1e300, zero=pl.lit(0), d=pl.lit("2020-01-01")
    )
    for size in (0, 1, 2, 15):
        compared(odd[:700], odd[700 : 700 + size], tmp_path) if size else None
        compared(odd[: 40 + size], odd[700:], tmp_path)


def test_areas_are_those_of_scikit_learn():
    random = np.random.default_rng(0)
    known, other = random.integers(0, 5, 60).astype(float), random.integers(1, 6, 40).astype(float)
    labels = np.repeat([0, 1], [60, 40])
    assert area(known, other) == pytest.approx(roc_auc_score(labels, np.concatenate([known, other])))
    assert distance(known, other) == pytest.approx(stats.ks_2samp(known, other).statistic)


def test_intervals_cover_a_half_where_nothing_differs():
    random = np.random.default_rng(1)
    covered = {"numbers": 0, "codes": 0, "ranks": 0}
    for _ in range(400):
        x, codes = random.normal(size=200), random.integers(0, 4, 200).astype(np.int32)
        for name, values in (("numbers", x), ("codes", codes)):
            told = apart(values[:120], values[120:], random)
            covered[name] += told.area.low <= 0.5 <= told.area.high
        plain = area_with_interval(area(x[:120], x[120:]), 120, 80)
        covered["ranks"] += plain.low <= 0.5 <= plain.high
    assert 0.925 <= covered["ranks"] / 400 <= 0.975, covered
    assert min(covered["numbers"], covered["codes"]) / 400 >= 0.93, covered


def test_chances_are_evenly_spread_where_nothing_differs():
    random = np.random.default_rng(2)
    drawn = [random.normal(size=300) for _ in range(400)]
    chances = np.array([apart(np.where(x > 1.2, np.nan, x)[:200], x[200:], random).chance for x in drawn[:5]])
    assert (chances < 0.01).all()
    alike = np.array([apart(x[:150], x[150:], random).chance for x in drawn])
    assert 0.0 < np.mean(alike < 0.05) < 0.08


def test_holm_is_what_it_is_step_by_step():
    chances = np.array([0.01, 0.04, 0.03, 0.005])
    assert holm(chances) == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_folds_of_one_sample_alone_say_nothing():
    assert area_of_folds(np.arange(6.0), np.arange(6) > 2, np.arange(6)) is None
