"""Splits by group and time from the words of a user to the intervals; test files that overlap or spell otherwise."""

import datetime as dt
import json

import numpy as np
import polars as pl
import pytest

from aurify import workbench
from aurify.core.errors import AurifyError
from aurify.data.splits import Parts
from aurify.data.store import Store


@pytest.fixture(scope="module")
def frame(frames):
    random = np.random.default_rng(0)
    day = dt.date(2024, 1, 1)
    return frames["classify"].with_columns(
        clinic=pl.Series([f"clinic {g}" for g in random.integers(0, 30, 240)]),
        seen=pl.Series([(day + dt.timedelta(days=int(d))).isoformat() for d in random.integers(0, 80, 240)]),
    )


def notes_of(run):
    return [finding["text"] for finding in json.loads(run.folder.findings.read_text())]


@pytest.mark.slow
def test_split_by_group_leaves_the_column_out_and_resamples_groups(frame, fit):
    run = fit(frame, split="group:clinic", out="run", inspect=True)
    store, parts = Store.open(run.folder.store), Parts.open(run.folder.parts)
    clinic = frame["clinic"].to_numpy()
    assert not set(clinic[parts.test]) & set(clinic[np.r_[parts.fit, parts.held]])
    assert not set(clinic[parts.fit]) & set(clinic[parts.held])
    assert "column 'clinic' is left out: it groups the rows" in notes_of(run)
    assert "clinic" not in [c.name for c in (*store.schema.categories, *store.schema.numbers)]
    groups = len(set(clinic[parts.test]))
    assert f"resampled by {groups} groups" in run.summary["intervals"]
    assert run.recipe.split.by == "group:clinic"
    assert run.predict(frame.drop("clinic")).height == 240
    again = workbench.evaluate("run")
    assert again["scores"] == run.summary["scores"]
    new = workbench.evaluate("run", frame.head(100))
    assert f"resampled by {len(set(clinic[:100]))} groups" in new["intervals"]
    bare = workbench.evaluate("run", frame.drop("clinic"))
    assert bare["intervals"] == "cover the sampling of these rows"
    assert any("lacks column 'clinic'" in note for note in bare["notes"])


def test_split_by_time_tests_the_latest_rows_and_resamples_blocks(frame, fit):
    run = fit(frame, split="time:seen", out="run")
    parts, seen = Parts.open(run.folder.parts), frame["seen"].to_numpy()
    assert max(seen[parts.fit]) < min(seen[parts.held])
    assert max(seen[parts.held]) < min(seen[parts.test])
    assert "resampled by" in run.summary["intervals"]
    assert "blocks of" in run.summary["intervals"]
    dropped = fit(frame, split="time:seen", drop=["seen"], out="dropped")
    np.testing.assert_array_equal(Parts.open(dropped.folder.parts).test, parts.test)


def test_group_that_is_missing_is_a_group_of_its_own(frame, fit):
    gone = frame.with_columns(clinic=pl.when(pl.int_range(240) < 7).then(None).otherwise("clinic"))
    run = fit(gone, split="group:clinic", out="run")
    assert "7 rows have no value in 'clinic': each is taken as a group of its own" in notes_of(run)


@pytest.mark.slow
@pytest.mark.parametrize("by", ["group:clinic", "time:seen"])
def test_folds_by_group_and_time(frame, fit, by):
    run = fit(frame, split=by, folds=3, out="run")
    column = frame[by.partition(":")[2]].to_numpy()
    for number in (1, 2, 3):
        parts = Parts.open(run.folder.fold(number).parts)
        learnt = column[np.r_[parts.fit, parts.held]]
        assert not set(learnt) & set(column[parts.test])
        assert by[0] == "g" or max(learnt) < min(column[parts.test])
    assert "resampled by" in run.summary["intervals"]


@pytest.mark.parametrize(
    ("by", "said"),
    [
        ("foo:bar", r"split.by = 'foo:bar' is not allowed: random, group:COLUMN or time:COLUMN"),
        ("group:", r"split.by = 'group:' is not allowed"),
        ("group", r"split.by = 'group' is not allowed"),
        ("group:clinc", r"'clinc' of --split group:clinc is not in the data; did you mean 'clinic'\?"),
        ("time:colour", r"column 'colour' cannot say when rows were: 'red'"),
        ("group:y", r"'y' is the target"),
        ("time:y", r"'y' is the target"),
        ("group:shape", r"'shape' holds 2 different groups.*at least 3"),
    ],
)
def test_wrong_splits_are_one_line(frame, fit, by, said):
    with pytest.raises(AurifyError, match=said) as caught:
        fit(frame, split=by, out="run")
    assert "\n" not in str(caught.value)


@pytest.mark.slow
def test_labels_of_a_test_file_are_matched_by_spelling_and_said(frames, fit):
    train, test = frames["classify"].head(180), frames["classify"].tail(60)
    test.with_columns(y=" " + pl.col("y").str.to_uppercase() + ".").write_csv("odd.csv")
    test.write_csv("even.csv")
    words = {"accept": ["test_overlap"], "inspect": True}
    odd, even = (fit(train, test=f"{name}.csv", out=name, **words) for name in ("odd", "even"))
    assert odd.summary["scores"] == even.summary["scores"]
    assert any("target 'y' in the test file: taken" in note for note in notes_of(odd))
    assert not any("taken '" in note for note in notes_of(even))
    evaluated = workbench.evaluate("even", "odd.csv")
    assert evaluated["scores"] == even.summary["scores"]
    assert any("'LOW.' as 'low'" in note for note in evaluated["notes"])
    test.with_columns(y=pl.lit("none of them")).write_csv("strange.csv")
    with pytest.raises(AurifyError, match="labels the model does not know: 'none of them'"):
        fit(train, test="strange.csv", out="strange")


@pytest.mark.slow
def test_scores_come_with_and_without_test_rows_that_were_learnt_from(frames, fit):
    """The last 24 rows repeat the first 24."""
    train = frames["classify"].head(180)
    swapped = (
        frames["classify"].slice(24, 6).with_columns(y=pl.col("y").replace({"low": "mid", "mid": "top", "top": "low"}))
    )
    test = pl.concat([frames["classify"].tail(60), swapped])
    test.write_csv("test.csv")
    run = fit(train, test="test.csv", out="run", accept=["test_overlap"], inspect=True)
    apart = run.summary["without_overlap"]
    assert (apart["same_inputs"], apart["same_target_too"], apart["rows"]) == (30, 24, 36)
    assert run.summary["rows"] == 66
    assert any("30 rows of the test file" in n for n in notes_of(run))
    alone = workbench.evaluate("run", test.head(36))
    assert "without_overlap" not in alone
    for name, score in alone["scores"].items():
        assert score["value"] == pytest.approx(apart["scores"][name]["value"]), name
    assert workbench.evaluate("run", "test.csv")["without_overlap"] == apart
    assert workbench.evaluate("run")["without_overlap"] == apart
    assert workbench.evaluate("run", train)["without_overlap"] == {
        "same_inputs": 180,
        "same_target_too": 180,
        "rows": 0,
    }


@pytest.mark.slow
def test_what_intervals_cover_and_the_overlap_are_printed(frame, words):
    frame.head(200).write_csv("train.csv")
    frame.tail(60).write_csv("test.csv")
    fast = ("--set", "budget.steps=4", "--set", "network.width=16", "--quiet", "-t", "y")
    said = " ".join(words("fit", "train.csv", *fast, "--split", "group:clinic", "--folds", "3").out.split())
    assert "intervals cover the sampling of these rows, resampled by 30 groups." in said
    assert "Scores are those of each fold's own model" in said
    said = " ".join(words("fit", "train.csv", *fast, "--test", "test.csv", "--accept", "test_overlap").out.split())
    assert "20 rows have the inputs of a training row; on the 40 others log loss is" in said
    wrong = words("fit", "train.csv", *fast, "--split", "foo:bar", check=False)
    assert (wrong.code, wrong.err.count("\n")) == (2, 1)
