"""The benchmark's plantings are what they say: the defect is in the table, and nowhere else."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # benchmarks are no part of the package

from aurify.data.findings import Finding
from benchmarks.planting import counting
from benchmarks.planting.bases import BASES, Fact
from benchmarks.planting.counting import DEFECTS, TABLES, UNTOUCHED, Look, Seen
from benchmarks.planting.planted import codes_of

REPOSITORY = Path(__file__).resolve().parents[2]
DRAWN = [base for base in BASES if base.needs is None]
MOST = 600


def planted(name, base, strength=0.5, seed=0):
    """The clean table and the planting."""
    random = np.random.default_rng(seed)
    clean = TABLES[base].rows(random, MOST)
    return clean, DEFECTS[name].plant(clean, TABLES[base].target, TABLES[base].kind, random, strength)


@pytest.mark.parametrize("name", DEFECTS)
def test_a_planting_is_a_table_with_its_columns_at_every_strength_and_always_the_same(name):
    count = 0
    for base in DRAWN:
        if not counting.suits(base, DEFECTS[name]):
            continue
        for strength in (0.0, 0.5, 1.0):
            clean, one = planted(name, base.name, strength)
            _, two = planted(name, base.name, strength)
            if one is None:
                continue
            count += 1
            assert one.frame.equals(two.frame)
            assert {*one.columns, *clean.columns} == set(one.frame.columns)
            assert not one.frame.equals(clean)
            assert one.test is None or one.test.columns == one.frame.columns
    assert count >= 2, "some base lends itself to it"


@pytest.mark.parametrize("base", [base.name for base in DRAWN])
def test_a_base_is_drawn_anew_from_its_seed(base):
    draw = [TABLES[base].rows(np.random.default_rng(seed), MOST) for seed in (0, 0, 1)]
    assert draw[0].equals(draw[1])
    assert not draw[0].equals(draw[2])
    assert draw[0].unique().height == draw[0].height, "no row stands twice"
    assert draw[0][TABLES[base].target].null_count() == 0


@pytest.mark.parametrize("name", ["recoded_copy", "threshold_leak", "text_copy", "date_copy"])
@pytest.mark.parametrize("base", ["iris", "mixed"])
def test_a_copy_decides_the_target(name, base):
    _, one = planted(name, base, strength=1.0)
    frame = one.frame.with_columns(pl.Series("code", codes_of(one.frame, TABLES[base].target)))
    order = frame.sort("planted")["code"].to_numpy()
    if name == "recoded_copy":
        assert frame.group_by("planted").agg(pl.col("code").n_unique())["code"].max() == 1
    else:
        assert (np.diff(order) != 0).sum() == codes_of(one.frame, TABLES[base].target).max(), "in order it is in blocks"


def test_a_noisy_copy_disagrees_as_often_as_its_strength_says():
    for strength, share in ((0.0, 0.05), (1.0, 0.01)):
        _, one = planted("noisy_copy", "line", strength)
        other = (one.frame["planted"] != one.frame["y"]).mean()
        assert share - 0.006 <= other <= share


def test_a_pair_decides_the_target_and_neither_of_the_two_does():
    for base, target in (("mixed", "bought"), ("four_classes", "label")):
        _, one = planted("deciding_pair", base, 1.0)
        frame = one.frame.with_columns(pl.Series("code", codes_of(one.frame, target)))
        assert frame.group_by(one.columns).agg(pl.col("code").n_unique())["code"].max() == 1
        alone = frame.group_by(one.columns[0]).agg(pl.col("code").n_unique())["code"]
        assert alone.min() == frame["code"].n_unique()
    for seed in range(6):
        _, one = planted("deciding_pair", "line", 1.0, seed)
        a, b, y = one.frame.select(*one.columns, "y").to_numpy().T
        assert any(np.allclose(made, y) for made in (a + b, a - b, a * b))


def test_rows_that_stand_twice_are_as_many_as_planted():
    clean, one = planted("exact_duplicates", "mixed", 1.0)
    assert one.frame.height - one.frame.unique().height == round(0.2 * clean.height)
    clean, one = planted("conflicting_duplicates", "mixed", 1.0)
    inputs = one.frame.drop("bought")
    assert one.frame.unique().height == one.frame.height
    assert inputs.height - inputs.unique().height == round(0.15 * clean.height)
    _, one = planted("near_duplicates", "friedman", 1.0)
    assert one.frame.unique().height == one.frame.height
    _, one = planted("test_repeats", "mixed", 1.0)
    assert one.test.join(one.frame, on=one.test.columns, how="semi", nulls_equal=True).height == pytest.approx(
        0.3 * one.test.height, abs=1
    )


def test_a_broken_correlation_leaves_each_column_as_it_was():
    clean, one = planted("broken_together", "breast_cancer")
    whole = pl.concat([one.frame, one.test])
    for name in clean.columns:
        assert np.array_equal(whole[name].sort(), clean[name].sort())
    assert one.test.join(clean, on=clean.columns, how="semi").height < one.test.height / 10


def test_counts_find_only_what_names_the_planting_and_was_not_said_without_it():
    warning = Finding(check="outliers", severity="warning", text="", columns=("f1",))
    look = Look("line", "unit_slips", 0, "tune", MOST)

    def found(*findings, columns=("f1",), anyway=()):
        seen = Seen(look, 0.5, columns, findings)
        tally = counting.tally([seen], {"line": {("outliers", "warning", frozenset(a)) for a in anyway}})
        return tally["unit_slips"].found

    assert found(warning) == 1
    assert found() == 0
    assert found(warning, columns=("f2",)) == 0
    assert found(warning, anyway=[["f1"]]) == 0
    assert found(Finding(check="outliers", severity="note", text="", columns=("f1",))) == 0
    assert found(Finding(check="shift", severity="severe", text="", columns=("f1",))) == 0


def test_wrong_are_warnings_that_are_no_facts():
    base = TABLES["line"]
    warning = Finding(check="outliers", severity="warning", text="", columns=("f1",))
    note = Finding(check="ids", severity="note", text="")
    assert counting.wrong(base, [warning, note]) == [warning]
    known = type(base)(**{**vars(base), "facts": (Fact("outliers", "so it is", ("f1",)),)})
    assert counting.wrong(known, [warning]) == []
    assert counting.wrong(known, [Finding(check="outliers", severity="warning", text="", columns=("f2",))]) != []


def test_one_look_ends_in_findings_and_says_what_broke(monkeypatch):
    seen = counting.look_at(Look("iris", UNTOUCHED, 1, "tune", MOST))
    assert seen.columns == ()
    assert not seen.failed
    monkeypatch.setattr(counting, "inspected", lambda *_: 1 / 0)
    broken = counting.look_at(Look("iris", "constant", 1, "tune", MOST))
    assert broken.failed == ("ZeroDivisionError: division by zero",)


@pytest.mark.slow
def test_the_script_stands_in_the_way_of_no_module_of_its_name():
    """Beside it the standard library's ``inspect`` is still what others get."""
    others = "import sys; sys.path.insert(0, 'benchmarks'); import inspect; inspect.signature(print)"
    for command in (["-c", others], ["benchmarks/inspect.py", "--help"]):
        done = subprocess.run([sys.executable, *command], cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
