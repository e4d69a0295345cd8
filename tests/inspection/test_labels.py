"""Label errors are found where classes lie apart, no alarm where they overlap; classes rare, uneven, misspelt."""

import sys

import numpy as np
import polars as pl
import pytest
from seeing import found_by
from sklearn import datasets

from aurify.core.words import LANGUAGES, say
from aurify.inspection.checks.label_errors import WORTH_A_LOOK
from aurify.inspection.spelt import folded, mistyped, spelt_twice
from aurify.measure.label_errors import agree, floor_of


def table(name, share=0.0, seed=0):
    """One of scikit-learn's sets as texts, a share of its labels changed; and which rows (N,) those are."""
    numbers, target = getattr(datasets, f"load_{name}")(return_X_y=True)
    random = np.random.default_rng(seed)
    wrong = random.random(len(target)) < share
    classes = target.max() + 1
    target = np.where(wrong, (target + random.integers(1, classes, len(target))) % classes, target)
    frame = pl.DataFrame(numbers, schema=[f"x{at}" for at in range(numbers.shape[1])])
    return frame.with_columns(y=pl.Series([f"class {code}" for code in target])), wrong


def overlapping(seed=0, count=1500, spread=1.0):
    """Two classes as a logistic curve of two numbers has them: no label is wrong."""
    random = np.random.default_rng(seed)
    numbers = random.normal(size=(count, 4))
    chance = 1 / (1 + np.exp(-(numbers[:, 0] + numbers[:, 1]) / spread))
    target = np.where(random.random(count) < chance, "yes", "no")
    return pl.DataFrame(numbers, schema=list("abcd")).with_columns(y=pl.Series(target))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "share"), [("iris", 0.2), ("breast_cancer", 0.1), ("digits", 0.05), ("digits", 0.2)])
@pytest.mark.parametrize("seed", [0, 1])
def test_wrong_labels_are_found_and_named_first(monkeypatch, name, share, seed):
    frame, wrong = table(name, share, seed)
    (finding,) = found_by(monkeypatch, "label_errors", frame, "y", seed=seed)
    assert finding.severity == "warning"
    assert finding.columns == ("y",)
    assert finding.evidence["low"] <= share * 1.5
    assert finding.evidence["high"] >= share * 0.7
    assert wrong[list(finding.rows[: finding.count // 2])].mean() >= 0.9
    assert finding.mend == {"techniques": {"clean_labels": {}}}
    shown = finding.exhibits[0].data
    assert [row[0] for row in shown["rows"]] == [str(row) for row in finding.rows[:25]]
    assert [row[1] for row in shown["rows"]] == frame["y"].gather(list(finding.rows[:25])).to_list()
    assert all(say(finding.text, language) for language in LANGUAGES)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits"])
def test_clean_labels_are_at_most_worth_a_look(monkeypatch, name):
    for seed in range(2):
        found = found_by(monkeypatch, "label_errors", table(name)[0], "y", seed=seed)
        assert [finding.severity for finding in found] in ([], ["note"])


@pytest.mark.parametrize("spread", [0.2, 0.5, 1.0, 3.0])
def test_classes_that_overlap_are_no_alarm(monkeypatch, spread):
    for seed in range(2):
        found = found_by(monkeypatch, "label_errors", overlapping(seed, spread=spread), "y", seed=seed)
        assert [finding.severity for finding in found] in ([], ["note"])
        assert all(len(finding.rows) <= WORTH_A_LOOK for finding in found)


def test_nothing_is_said_of_classes_that_columns_do_not_tell(monkeypatch):
    frame = overlapping(spread=1.0).with_columns(pl.col("y").shuffle(seed=1))
    assert all(finding.severity == "note" for finding in found_by(monkeypatch, "label_errors", frame, "y"))
    rare = frame.with_columns(y=pl.when(pl.int_range(pl.len()) % 50 == 0).then(pl.lit("a")).otherwise(pl.lit("b")))
    assert all(finding.severity == "note" for finding in found_by(monkeypatch, "label_errors", rare, "y"))


def test_without_cleanlab_one_note_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    (finding,) = found_by(monkeypatch, "label_errors", overlapping(count=200), "y")
    assert finding.severity == "note"
    assert "pip install 'aurify[labels]'" in finding.text


def test_the_floor_is_the_share_that_disagrees_among_the_surest_half_of_each_class():
    likely = np.c_[np.linspace(0.0, 1.0, 200), np.linspace(1.0, 0.0, 200)]
    target = likely.argmax(1)
    target[:5] = 0  # of the 50 surest of class 1
    target[95:105] = 1 - target[95:105]  # where it is not sure
    floor = floor_of(target, likely)
    assert (floor.rows, floor.share, floor.every, floor.surer) == (100, 0.05, 0.075, 0.1)
    assert floor.low == pytest.approx(0.0164, abs=1e-4)  # Clopper and Pearson, 5 of 100
    assert floor.high == pytest.approx(0.1128, abs=1e-4)
    assert floor.chance == pytest.approx(0.5, abs=0.01)


def test_views_agree_where_labels_err_and_not_where_columns_do():
    random = np.random.default_rng(0)
    truth = random.integers(0, 2, 1000)
    label = np.where(random.random(1000) < 0.2, 1 - truth, truth)
    one, other = (np.where(random.random(1000) < 0.02, 1 - truth, truth) for _ in range(2))
    assert agree(one, other, label)
    one, other = (np.where(random.random(1000) < 0.2, 1 - truth, truth) for _ in range(2))
    assert not agree(one, other, truth)
    assert not agree(np.zeros(1000, dtype=int), np.zeros(1000, dtype=int), truth)


def of_classes(**counts):
    random = np.random.default_rng(0)
    classes = [name for name, count in counts.items() for _ in range(count)]
    return pl.DataFrame({"x": random.normal(size=len(classes)), "y": classes}).sample(
        fraction=1.0, shuffle=True, seed=0
    )


def test_classes_with_fewer_rows_than_folds_are_named_with_their_counts(monkeypatch):
    frame = of_classes(a=200, b=100, c=3, d=6)
    (finding,) = found_by(monkeypatch, "rare_classes", frame, "y", test=None, split="random")
    assert finding.severity == "warning"
    assert set(finding.evidence["classes"]) == {"c", "d"}
    assert sum(finding.evidence["classes"].values()) == finding.count <= 9
    assert set(frame["y"].gather(list(finding.rows))) <= {"c", "d"}
    assert not found_by(monkeypatch, "rare_classes", of_classes(a=200, b=100, c=40), "y")


def test_rare_numbers_at_the_ends_of_others_are_no_more_than_a_note(monkeypatch):
    for classes, severity in (
        ({"1": 4, "2": 90, "3": 80, "4": 70, "5": 6}, "note"),
        ({"0.5": 90, "1.5": 3, "2.5": 80, "3.5": 80}, "note"),
        ({"1": 90, "2": 80, "3": 4, "4": 70}, "warning"),
        ({"0": 90, "1": 5}, "warning"),
    ):
        frame = of_classes(**classes)
        words = {"recipe": {"task": {"name": "table", "kind": "classify"}}}
        (finding,) = found_by(monkeypatch, "rare_classes", frame, "y", **words)
        assert finding.severity == severity, classes
        assert ("regress" in finding.fix) == (severity == "note")


def test_one_class_that_dominates_is_a_note_and_a_warning_where_the_other_is_hardly_there(monkeypatch):
    assert not found_by(monkeypatch, "imbalance", of_classes(a=600, b=100), "y")
    (note,) = found_by(monkeypatch, "imbalance", of_classes(a=2000, b=130), "y")
    assert (note.severity, note.mend) == ("note", {})
    (warning,) = found_by(monkeypatch, "imbalance", of_classes(a=6000, b=50), "y")
    assert warning.severity == "warning"
    assert warning.evidence["rarest"] == 40  # the test part stays sealed


@pytest.mark.parametrize(
    ("right", "other", "severity"),
    [
        ("Yes", "Ｙｅｓ", "warning"),
        ("malignant", "Malignant.", "warning"),
        ("very good", "very_good", "warning"),
        (">50K", "> 50K.", "warning"),
        ("No", "N0", "note"),
        ("setosa", "setsoa", "note"),
    ],
)
def test_other_spellings_of_a_class_are_found(monkeypatch, right, other, severity):
    classes = {right: 150, other: 5, "something else": 120}
    (finding,) = found_by(monkeypatch, "label_spelling", of_classes(**classes), "y")
    assert finding.severity == severity
    assert finding.evidence["spellings"][0]["class"] == right
    assert list(finding.evidence["spellings"][0]["others"]) == [other]


@pytest.mark.parametrize(
    "classes",
    [
        {"<=50K": 100, ">50K": 40},
        {"stage I": 90, "stage II": 60, "stage III": 4},
        {"class1": 200, "class2": 5, "class3": 4},
        {"grade A": 90, "grade B": 3},
        {"1-2": 50, "12": 4, "1_2": 60},
        {"+": 90, "-": 80},
        {"cat": 200, "car": 3, "rat": 2},
        {"A": 60, "a": 50, "B": 60, "b": 55},
        {"male": 90, "female": 80},
    ],
)
def test_classes_of_their_own_are_left_in_peace(monkeypatch, classes):
    assert not found_by(monkeypatch, "label_spelling", of_classes(**classes), "y")


def test_spellings_are_joined_under_the_most_frequent_one():
    rows = {"Yes": 100, "YES": 90, "yes.": 3, "No": 80, "N0": 1, "maybe": 5}
    assert spelt_twice(rows) == [["Yes", "YES", "yes."]]
    assert mistyped({"No": 80, "N0": 1, "maybe": 5}) == [["No", "N0"]]
    assert folded("...") == "..."


def test_labels_of_a_test_file_in_another_spelling_are_a_finding(monkeypatch, tmp_path):
    frame = of_classes(**{"<=50K": 100, ">50K": 60})
    frame.with_columns(y=pl.col("y") + ".").write_csv(tmp_path / "new.csv")
    (finding,) = found_by(monkeypatch, "label_spelling", frame, "y", test=tmp_path / "new.csv")
    assert (finding.severity, finding.columns) == ("note", ("y",))
    assert "'>50K.' as '>50K'" in finding.text
