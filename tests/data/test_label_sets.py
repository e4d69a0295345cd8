"""Targets of several labels a row: found, read, refused."""

import json

import numpy as np
import polars as pl
import pytest

from aurify.core.errors import AurifyError
from aurify.data.label_sets import joined_names, named_columns
from aurify.data.schema import Schema
from aurify.data.splits import part_rows
from aurify.data.store import Store

NAMES = ("red", "green", "blue")


def _held(rows: int = 60, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).random((rows, 3)) < 0.5).astype(np.int8)


def _cells(held: np.ndarray, separator: str) -> list[str]:
    return [separator.join(n for n, h in zip(NAMES, row, strict=True) if h) or separator for row in held]


def _schema(frame: pl.DataFrame, target: str, kind: str = "auto", **words) -> Schema:
    return Schema.infer(frame, target, (), kind, **words)


def _frame(**columns) -> pl.DataFrame:
    rows = len(next(iter(columns.values())))
    return pl.DataFrame({"x": np.arange(rows) * 0.37 % 1, **columns})


@pytest.mark.parametrize("separator", [";", "|", "；", "、", ",", "，"])
def test_common_separators_are_seen_and_said(separator):
    held = _held()
    frame = _frame(y=_cells(held, separator))
    schema = _schema(frame, "y")
    assert schema.labels is not None
    assert schema.labels.separator == separator
    assert schema.classes == tuple(sorted(NAMES))
    assert any(repr(separator) in note and "classify" in note for note in schema.notes)
    order = [NAMES.index(name) for name in schema.classes or ()]
    assert np.array_equal(schema.parse_target(frame), held[:, order])


@pytest.mark.parametrize("separator", [".*", "\\", "[", "+", " ", "$", "::"])
def test_any_separator_can_be_said_and_is_taken_literally(separator):
    held = _held()
    frame = _frame(y=_cells(held, separator))
    schema = _schema(frame, "y", separator=separator)
    order = [NAMES.index(name) for name in schema.classes or ()]
    known = schema.parse_target(frame)
    rows = (known >= 0).all(1)  # a cell of blanks alone is a missing one
    assert np.array_equal(known[rows], held[:, order][rows])
    assert rows.all() or separator == " "


def test_lists_and_lists_written_as_json_are_the_same_labels():
    held = _held()
    lists = [[n for n, h in zip(NAMES, row, strict=True) if h] for row in held]
    nested, written = _frame(y=lists), _frame(y=[json.dumps(row) for row in lists])
    one, other = _schema(nested, "y"), _schema(written, "y")
    assert one.labels == other.labels
    assert one.classes == other.classes
    assert np.array_equal(one.parse_target(nested), other.parse_target(written))


def test_columns_of_yes_and_no_may_be_spelt_in_any_way():
    held = _held()
    frame = _frame(
        red=held[:, 0].astype(bool), green=np.where(held[:, 1], "Yes", "no"), blue=held[:, 2].astype(np.float64)
    )
    schema = _schema(frame, "red,green,blue")
    assert schema.classes == NAMES
    assert schema.aims == NAMES
    assert [c.name for c in schema.learnt] == ["x"]
    assert np.array_equal(schema.parse_target(frame), held)


def test_names_with_commas_in_them_are_named_as_a_list():
    names = ["a,b", " c", "d"]
    assert named_columns(joined_names(names), names) == tuple(names)
    assert named_columns("a,b", ["a,b", "a", "b"]) == ("a,b",)  # a column that is called so comes first


def test_row_that_lacks_one_label_has_no_target_and_is_said():
    frame = _frame(a=[1, 0, None, 1] * 5, b=[0, 1, 1, 1] * 5)
    schema = _schema(frame, "a,b")
    assert np.array_equal(schema.parse_target(frame)[2], [-1, -1])
    assert any("5 rows lack some of the labels" in note for note in schema.notes)


def test_blank_cell_is_unknown_and_empty_list_is_no_label():
    frame = _frame(y=["a;b", "", None, ";", "a; ;a", "b"])
    schema = _schema(frame, "y", "multi_label")
    assert schema.parse_target(frame).tolist() == [[1, 1], [-1, -1], [-1, -1], [0, 0], [1, 0], [0, 1]]


@pytest.mark.parametrize(
    "classes",
    [
        ["low;cheap", "low;dear", "high;cheap", "high;dear"] * 5,  # every cell has two parts: names, not labels
        ["Paris, France", "Rome, Italy", "Bern"] * 7,
        ["1,5", "2,5", "3"] * 7,
        ["yes", "no"] * 10,
        ["I came, I saw", "I saw, I won, I left", "nothing"] * 7,
    ],
)
def test_classes_with_separators_in_their_names_stay_classes(classes):
    schema = _schema(_frame(y=classes), "y")
    assert schema.labels is None
    assert len(schema.classes or ()) == len(set(classes))
    assert "labels" not in schema.to_plain()  # as schemas always were


def test_kind_classify_overrules_what_is_seen():
    frame = _frame(y=_cells(_held(), ";"))
    assert _schema(frame, "y", "classify").labels is None


def test_schema_survives_json():
    for target, frame in (("y", _frame(y=_cells(_held(), ";"))), ("a,b", _frame(a=[0, 1] * 9, b=[0, 1, 1] * 6))):
        schema = _schema(frame, target)
        again = Schema.from_plain(json.loads(json.dumps(schema.to_plain())))
        assert again == schema
        assert again.aims == schema.aims


@pytest.mark.parametrize(
    ("columns", "target", "words", "message"),
    [
        ({"a": [0, 1] * 9, "b": [0, 2] * 9}, "a,b", {}, "holds '2'"),
        ({"a": [0, 1] * 9, "b": [0, 1] * 9}, "a,c", {}, "column 'c' is not in the data"),
        ({"a": [0, 1] * 9, "b": [0, 1] * 9}, "a,b,a", {}, "named twice"),
        ({"a": [0, 1] * 9, "b": [0, 1] * 9}, "a,b", {"kind": "regress"}, "needs one column"),
        ({"a": [0, 1] * 9, "b": [0, 1] * 9}, "a,b", {"positive": "1"}, "several labels"),
        ({"a": [0] * 9, "b": [1] * 9}, "a,b", {}, "never change"),
        ({"a": [None] * 9, "b": [1] * 9}, "a,b", {}, "no row has a value in each"),
        ({"y": ["a;b", "a"] * 9}, "y", {"separator": "#"}, "no cell of 'y' holds two labels"),
        ({"y": ["a;b", "a"] * 9}, "y", {"separator": ""}, "at least one character"),
        ({"y": ["a;b", "a"] * 9}, "y", {"separator": ";", "kind": "classify"}, "leave it out"),
        ({"y": ["a", "b"] * 9}, "y", {"kind": "multi_label"}, "hold one label each"),
        ({"y": [["a"]] * 9}, "y", {}, "only the label 'a'"),
        ({"y": [[]] * 9}, "y", {}, "no label"),
        ({"y": [f"l{i};m{i}" for i in range(90)]}, "y", {"kind": "multi_label"}, "180 different labels"),
    ],
)
def test_targets_that_cannot_be_learnt_are_refused_in_one_line(columns, target, words, message):
    with pytest.raises(AurifyError, match=message) as refused:
        _schema(_frame(**columns), target, **{"kind": "auto", **words})
    assert "\n" not in str(refused.value)


def test_unknown_label_of_other_data_is_named():
    schema = _schema(_frame(y=_cells(_held(), ";")), "y")
    with pytest.raises(AurifyError, match="'violet'; known"):
        schema.parse_target(_frame(y=["red;violet", "blue"]), "more.csv")


def test_each_part_gets_its_share_of_a_rare_label(tmp_path):
    held = np.zeros((1000, 3), dtype=np.int8)
    random = np.random.default_rng(0)
    held[:, :2] = random.random((1000, 2)) < 0.4
    held[random.choice(1000, 30, replace=False), 2] = 1
    frame = _frame(a=held[:, 0], b=held[:, 1], c=held[:, 2])
    schema = _schema(frame, "a,b,c")
    store = Store.of(schema, schema.parse(frame).inputs, held, np.zeros(1000, dtype=bool))
    store.write(tmp_path / "store")
    again = Store.open(tmp_path / "store")
    assert again.fingerprint == store.fingerprint
    assert np.array_equal(again.target, held)
    again.verify(tmp_path / "store")
    parts = part_rows(again, 0.2, 0.1, 1)
    for rows, share in ((parts.test, 0.2), (parts.fit, 0.72)):
        assert np.abs(held[rows].sum(0) / held.sum(0) - share).max() < 0.07
