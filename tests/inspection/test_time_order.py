"""Rows in the order of time: found where it matters, silent where a date says nothing."""

import json

import numpy as np
import polars as pl
import pytest
from scipy import stats
from seeing import only

import aurify
from aurify.core.words import keep
from aurify.inspection.clock import words
from aurify.measure.series import along, between, resemblance


@pytest.fixture(autouse=True)
def just(monkeypatch):
    only(monkeypatch, "time_order", "row_order")


def dated(seed, rows=600, days=900, name="when"):
    """A table of no order with a date, sorted by it or not, and how late each row is from -1 to 1."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 4))
    day = random.integers(0, days, rows)
    late = np.empty(rows)
    late[np.argsort(day, kind="stable")] = np.linspace(-1, 1, rows)
    frame = pl.DataFrame({f"x{at}": x[:, at] for at in range(4)}).with_columns(
        pl.Series(name, np.datetime64("2018-01-01") + day),
        c=pl.Series(random.choice(list("abc"), rows)),
        y=pl.Series(x[:, 0] + random.normal(size=rows)),
    )
    return frame, late


def looked(frame, **words):
    found = aurify.inspect(frame, "y", **words)
    assert not [f for f in found if "failed" in str(f)]
    json.dumps(keep([f.plain() for f in found]), allow_nan=False)
    return found.where(check="time_order")


def walk(late, seed):
    """Values that remember their neighbour in time by 0.9, of variance 1."""
    steps = np.random.default_rng(seed).normal(size=len(late))
    values = np.zeros(len(late))
    for at in range(1, len(late)):
        values[at] = 0.9 * values[at - 1] + np.sqrt(0.19) * steps[at]
    placed = np.empty(len(late))
    placed[np.argsort(late)] = values
    return placed


PLANTED = {
    "inputs drift": lambda frame, late, seed: frame.with_columns(x1=pl.col("x1") + late, x2=pl.col("x2") - late),
    "target drifts": lambda frame, late, seed: frame.with_columns(y=pl.col("y") + 0.8 * late),
    "target remembers": lambda frame, late, seed: frame.with_columns(y=pl.col("y") + walk(late, seed)),
    "inputs remember": lambda frame, late, seed: frame.with_columns(x3=pl.Series(walk(late, seed))),
    "classes drift": lambda frame, late, seed: frame.with_columns(y=(pl.col("y") + 0.8 * late > 0).cast(pl.Int64)),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_goes_with_time_is_a_warning_with_the_split_that_mends_it(name):
    for seed in range(4):
        frame, late = dated(seed)
        (found,) = looked(PLANTED[name](frame, late, seed))
        assert (found.severity, found.columns) == ("warning", ("when",))
        assert "--split time:when" in found.fix
        assert found.mend == {"split": {"by": "time:when"}}


@pytest.mark.slow
def test_a_date_that_says_nothing_is_left_alone():
    assert [seed for seed in range(15) if looked(dated(seed, rows=300)[0])] == []


def test_seasons_alone_are_no_drift():
    frame, _ = dated(1, rows=1500, days=1461)
    day = frame["when"].dt.ordinal_day()
    seasonal = frame.with_columns(y=pl.col("y") + (day * 2 * np.pi / 365.25).sin())
    for found in looked(seasonal):
        assert "share of variance" not in found.evidence
        assert "first from last" not in found.evidence


@pytest.mark.parametrize("name", ["birth_date", "HireDate", "date_built", "出生日期"])
def test_dates_that_are_facts_like_any_other_are_left_alone(name):
    frame, late = dated(2, name=name)
    assert not looked(frame.with_columns(y=pl.col("y") + late))


def test_a_split_by_time_or_a_test_file_leaves_nothing_to_say(tmp_path):
    frame, late = dated(3)
    frame = PLANTED["target drifts"](frame, late, 3)
    assert looked(frame)
    assert not looked(frame, split="time:when")
    frame[:100].write_csv(tmp_path / "test.csv")
    assert not looked(frame, test=tmp_path / "test.csv")


def test_years_and_stamps_in_numbers_are_times_and_counts_are_not():
    frame, late = dated(4)
    frame = PLANTED["target drifts"](frame, late, 4)
    years = frame.with_columns(sale_year=frame["when"].dt.year() + 0 * late.astype(int) + (late * 3).astype(int))
    (found,) = looked(years.drop("when"))
    assert found.columns == ("sale_year",)
    stamped = frame.with_columns(timestamp=frame["when"].dt.epoch("s")).drop("when")
    (found,) = looked(stamped)
    assert found.columns == ("timestamp",)
    assert not looked(frame.with_columns(visits=pl.Series(2000 + (late * 10).astype(int))).drop("when"))


def test_series_of_entities_are_found_in_their_own_order():
    frame, late = dated(5)
    shop = np.arange(600) % 60
    own = np.empty(600)
    for each in range(60):
        here = shop == each
        own[here] = walk(late[here], each)
    shops = frame.with_columns(shop=pl.Series([f"s{each}" for each in shop]), y=pl.col("y") + 2 * pl.Series(own))
    (found,) = looked(shops)
    assert found.evidence["alike errors"]["within"] == "shop"


def test_rows_sorted_by_class_are_a_note_and_mixed_ones_nothing():
    frame = dated(6)[0].drop("when").with_columns(y=(pl.col("x0") > 0).cast(pl.Int64))
    assert not aurify.inspect(frame, "y").where(check="row_order")
    (found,) = aurify.inspect(frame.sort("y"), "y").where(check="row_order")
    assert found.severity == "note"
    assert not looked(frame.sort("y"))


def test_files_read_one_folder_after_another_are_in_no_order_worth_a_word(tmp_path):
    for label in ("bad", "good"):
        (tmp_path / label).mkdir()
        for at in range(60):
            (tmp_path / label / f"{at}.txt").write_text(f"a {label} film, number {at}", encoding="utf-8")
    assert not aurify.inspect(tmp_path).where(check="row_order")


@pytest.mark.slow
def test_odd_times_are_no_error(monkeypatch):
    monkeypatch.undo()  # every check
    frame, _ = dated(7, rows=150)
    for odd in (
        frame.with_columns(when=pl.lit(None, dtype=pl.Date)),
        frame.with_columns(when=pl.when(pl.int_range(150) < 100).then(pl.col("when"))),
        frame.with_columns(y=pl.lit(1e300) * pl.col("y"), x0=pl.lit(None, dtype=pl.Float64)),
        frame.with_columns(y=pl.Series(["a"] * 148 + ["b"] * 2)),
        frame.select("when", "y"),
        frame[:20],
    ):
        looked(odd)


def test_resemblance_is_by_chance_as_often_as_it_says():
    random = np.random.default_rng(0)
    chances = np.array([resemblance(random.exponential(size=(200, 1))).chance for _ in range(500)])
    assert 0.02 <= np.mean(chances < 0.05) <= 0.08
    groups = random.integers(0, 20, 400)
    assert resemblance((groups * 1.0)[:, None] + random.normal(size=(400, 1)), groups).chance > 0.001


def test_stretches_differ_by_chance_as_often_as_they_say():
    random = np.random.default_rng(1)
    stretch = np.arange(300) // 30
    for values in (lambda: random.normal(size=(300, 1)), lambda: np.eye(3)[random.integers(0, 3, 300)]):
        for look in (between, along):
            chances = np.array([look(values(), stretch)[1] for _ in range(300)])
            assert 0.02 <= np.mean(chances < 0.05) <= 0.09
    assert between(np.eye(2)[(stretch > 4) * 1], stretch)[0] == pytest.approx(1.0)


def test_an_even_trend_of_few_rows_is_seen_though_stretches_differ_little():
    for seed in range(4):
        frame, late = dated(seed, rows=240)
        (found,) = looked(frame.with_columns(y=pl.col("y") + 0.9 * late))
        assert "share of variance" in found.evidence
    x, y = np.arange(40) % 5, np.random.default_rng(3).normal(size=(40, 1))
    assert along(y, x)[1] == pytest.approx(stats.linregress(x, y[:, 0]).pvalue)


def test_names_are_parted_into_words():
    assert words("saleYear_2") == {"sale", "year"}
    assert words("DATE") == {"date"}
    assert words("年份") == {"年份"}
