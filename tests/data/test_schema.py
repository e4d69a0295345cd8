"""Raw values become typed columns, the same way at every place and time."""

import datetime
import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

from aurify.core.errors import AurifyError
from aurify.core.recipe import Source
from aurify.data.schema import MISSING, UNKNOWN, Schema
from aurify.data.sources import read_frame

ROWS = 60


def frame(**columns):
    """A table with a plain number, a category and a target, and whatever else is given."""
    random = np.random.default_rng(0)
    plain = {
        "number": random.normal(size=ROWS),
        "colour": random.choice(["red", "blue"], ROWS),
        "y": random.choice(["no", "yes"], ROWS),
    }
    return pl.DataFrame({**plain, **columns}, strict=False)


def infer(table, kind="auto", drop=(), target="y"):
    return Schema.infer(table, target, drop, kind)


def column(schema, name):
    return next(c for c in schema.columns if c.name == name)


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        ([7.0] * ROWS, "left out", "the same everywhere (7.0)"),
        ([None] * ROWS, "left out", "empty"),
        (["?"] * ROWS, "left out", "empty"),
        (list(range(ROWS)), "left out", "an id (counts the rows)"),
        ([f"C-{i}" for i in range(ROWS)], "left out", "an id (60 different values in 60 rows)"),
        ([i * 3 for i in range(ROWS)], "number", ""),
        (["1", "2", " 3 "] * 20, "number", ""),
        (["1", "2", ""] * 20, "number", ""),
        (["1", "2", "x"] * 20, "category", ""),
        ([True, False] * 30, "category", ""),
        ([7.0] * 59 + [None], "number", ""),
        ([float("inf"), 1.0, 2.0] * 20, "number", ""),
        (
            [f"the {w} word of a long sentence that goes on {i}" for i, w in enumerate(["a", "b"] * 30)],
            "left out",
            "id",
        ),
        (
            [f"many words make this a free text of kind {i}" for i in range(30)] * 2,
            "left out",
            "free text (tables learn from numbers and categories)",
        ),
    ],
)
def test_column_is_what_its_values_say(values, kind, reason):
    schema = infer(frame(x=pl.Series(values, strict=False)))
    assert column(schema, "x").kind == kind
    assert reason in column(schema, "x").reason


def test_ids_are_known_as_ids():
    schema = infer(frame(id=list(range(ROWS)), name=[f"n{i}" for i in range(ROWS)], same=[1] * ROWS))
    assert schema.ids == ("id", "name")


def test_infinities_are_missing():
    schema = infer(frame(x=[float("inf"), float("-inf"), *range(58)]))
    parsed = schema.parse(frame(x=[float("inf"), float("-inf"), *range(58)]))
    at = [c.name for c in schema.numbers].index("x")
    assert np.isnan(parsed.numbers[:2, at]).all()
    assert np.isfinite(parsed.numbers[2:, at]).all()


def test_texts_that_spell_infinity_or_nan_are_missing_too():
    table = frame(x=["inf", "-Infinity", "nan", "1e999", *map(str, range(56))])
    parsed = infer(table).parse(table)
    assert np.isnan(parsed.numbers[:4, 1]).all()
    assert np.isfinite(parsed.numbers[4:, 1]).all()


@pytest.mark.parametrize(
    ("target", "classes"),
    [
        ([1, 0] * 30, ("0", "1")),
        ([1.0, 0.0] * 30, ("0", "1")),
        ([1.5, 0.0] * 30, ("0", "1.5")),
        ([0.0, 0.5, 1.0] * 20, ("0", "0.5", "1")),
        ([True, False] * 30, ("false", "true")),
        (["b", "a", " a "] * 20, ("a", "b")),
        (["1", "1.0"] * 29 + ["2", "2.0"], ("1", "2")),
        ([10, 9, 2] * 20, ("2", "9", "10")),
        (["no", "yes", None] * 20, ("no", "yes")),
        (["no", "yes", "?"] * 20, ("no", "yes")),
    ],
)
def test_class_order_is_fixed_and_each_label_has_one_spelling(target, classes):
    table = frame(y=pl.Series(target, strict=False))
    schema = infer(table)
    assert schema.classes == classes
    codes = schema.parse_target(table)
    assert set(codes.tolist()) <= {MISSING, *range(len(classes))}
    assert (codes == MISSING).sum() == sum(t is None or t == "?" for t in target)


def test_label_spelled_otherwise_later_is_the_same_label():
    schema = infer(frame(y=[1, 0] * 30))
    for later in (["1.0", "0"], [1.0, 0.0], ["1", "0.00"], ["01", "00"], [1, 0]):
        assert schema.parse_target(pl.DataFrame({"y": pl.Series(later)})).tolist() == [1, 0], later
    schema = infer(frame(y=[0.0, 0.5, 1.0] * 20))
    for later in (["1.0", ".5", "0"], ["1", "0.50", "0.0"], [1.0, 0.5, 0.0]):
        assert schema.parse_target(pl.DataFrame({"y": pl.Series(later)})).tolist() == [2, 1, 0], later


@pytest.mark.parametrize("spelled", [("True", "False"), ("true", "false"), ("TRUE", "FALSE")])
def test_true_and_false_mean_the_same_however_they_are_spelled_and_read(tmp_path, spelled):
    """CSV files hold them as text, data frames as booleans; what is read later is read as written."""
    yes, no = spelled
    rows = [f"{i / 2},{yes if i % 3 else no},{yes if i % 2 else no}" for i in range(ROWS)]
    (tmp_path / "t.csv").write_text("\n".join(["x,member,y", *rows]))
    written = read_frame(tmp_path / "t.csv").frame
    table = pl.DataFrame(
        {"x": np.arange(ROWS) / 2, "member": [i % 3 > 0 for i in range(ROWS)], "y": [i % 2 == 1 for i in range(ROWS)]}
    )
    for learnt in (written, table):
        schema = infer(learnt)
        assert schema.classes == ("false", "true")
        for later in (written, table, table.to_pandas(), read_frame(tmp_path / "t.csv", texts=schema.texts).frame):
            parsed = schema.parse(read_frame(later).frame)
            assert parsed.codes[:4, 0].tolist() == [0, 1, 1, 0]
            assert schema.parse_target(read_frame(later).frame)[:4].tolist() == [0, 1, 0, 1]


def test_nested_columns_are_left_out():
    schema = infer(frame(x=[[1, 2]] * 30 + [[3]] * 30, z=[{"a": 1}, {"a": 2}] * 30))
    assert column(schema, "x").kind == column(schema, "z").kind == "left out"


def test_dates_are_read_as_something_the_model_can_parse_again():
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=i % 10) for i in range(ROWS)]
    schema = infer(frame(day=days))
    assert (schema.parse(frame(day=days)).codes >= 0).all()


def test_unknown_label_is_refused_with_the_known_ones():
    schema = infer(frame())
    with pytest.raises(AurifyError, match="labels the model does not know: 'maybe'; known: 'no', 'yes'"):
        schema.parse_target(pl.DataFrame({"y": ["yes", "maybe"]}))


def test_many_different_numbers_are_regressed_on():
    assert infer(frame(y=np.arange(ROWS) / 7)).classes is None
    assert infer(frame(y=[i % 20 for i in range(ROWS)])).classes is not None
    assert infer(frame(y=[i % 20 for i in range(ROWS)]), "regress").classes is None


@pytest.mark.parametrize(
    ("target", "kind", "said"),
    [
        (["a"] * ROWS, "auto", "holds only 'a'"),
        ([None] * ROWS, "auto", "holds no value"),
        (["a", None] * 30, "auto", "holds only 'a'"),
        ([f"{i}x" for i in range(ROWS)], "auto", "too many for classes"),
        (["a", "b"] * 30, "regress", "is not a number"),
        ([i / 3 for i in range(ROWS)], "classify", "too many for classes"),
        ([float("inf"), 1.0] * 30, "auto", "holds only 1.0"),
    ],
)
def test_target_that_cannot_be_learnt_is_refused(target, kind, said):
    with pytest.raises(AurifyError, match=said):
        infer(frame(y=pl.Series(target, strict=False)), kind)


def test_roles_are_checked():
    with pytest.raises(AurifyError, match="column 'Y' is not in the data; did you mean 'y'"):
        infer(frame(), target="Y")
    with pytest.raises(AurifyError, match="column 'numbr' is not in the data; did you mean 'number'"):
        infer(frame(), drop=["numbr"])
    with pytest.raises(AurifyError, match="both the target and dropped"):
        infer(frame(), drop=["y"])
    with pytest.raises(AurifyError, match="no column is left to learn 'y' from: 'number' is dropped by you"):
        infer(frame(), drop=["number", "colour"])


def test_columns_that_are_missing_are_all_named():
    schema = infer(frame(more=list(np.arange(ROWS) * 0.5)))
    with pytest.raises(AurifyError, match=r"lacks 2 column\(s\) the model needs: 'number', 'colour'|'more'"):
        schema.parse(pl.DataFrame({"more": [1.0]}), "new.csv")


def test_extra_columns_are_ignored_and_said_and_order_is_free():
    table = frame()
    schema = infer(table)
    shuffled = table.select("y", "colour", "number").with_columns(extra=pl.lit(1))
    one, two = schema.parse(table), schema.parse(shuffled)
    np.testing.assert_array_equal(one.numbers, two.numbers)
    np.testing.assert_array_equal(one.codes, two.codes)
    assert one.notes == ()
    assert "1 column(s) the model does not know, ignored: 'extra'" in two.notes[0]


def test_unseen_categories_are_unknown_and_said_missing_ones_missing():
    schema = infer(frame())
    parsed = schema.parse(pl.DataFrame({"number": [1.0] * 5, "colour": ["red", "green", None, " blue ", "?"]}))
    assert parsed.codes[:, 0].tolist() == [1, UNKNOWN, MISSING, 0, MISSING]
    assert "'green' unseen in training" in parsed.notes[0]


def test_texts_in_a_number_column_are_missing_and_said():
    schema = infer(frame())
    parsed = schema.parse(pl.DataFrame({"number": ["1.5", "abc", " 2 ", ""], "colour": ["red"] * 4}))
    np.testing.assert_array_equal(parsed.numbers[:, 0], [1.5, np.nan, 2.0, np.nan])
    assert "'abc' are not numbers; taken as missing" in parsed.notes[0]


def test_category_that_looks_like_numbers_later_is_read_as_written():
    """Codes such as 1, 2, A are categories; a file with only 1 and 2 in it means the same codes."""
    schema = infer(frame(code=["1", "2", "A"] * 20))
    at = [c.name for c in schema.categories].index("code")
    for later in (["1", "2"], [1, 2], [1.0, 2.0]):
        table = pl.DataFrame({"number": [0.0, 0.0], "colour": ["red", "red"], "code": later})
        assert schema.parse(table).codes[:, at].tolist() == [0, 1], later
    table = pl.DataFrame({"number": [0.0, 0.0], "colour": ["red", "red"], "code": [1.0, 2.5]})
    assert schema.parse(table).codes[:, at].tolist() == [0, UNKNOWN]


def test_category_of_numbers_with_a_gap_in_a_csv_keeps_its_codes(tmp_path):
    """A missing cell turns integers into floats in most readers: 1 must not become 1.0 and unknown."""
    schema = infer(frame(code=["1", "2", "A"] * 20))
    at = [c.name for c in schema.categories].index("code")
    (tmp_path / "new.csv").write_text("number,colour,code\n0,red,1\n0,red,\n0,red,2\n")
    table = read_frame(tmp_path / "new.csv", texts=schema.texts).frame
    assert schema.parse(table).codes[:, at].tolist() == [0, MISSING, 1]
    as_pandas = read_frame(pd.read_csv(tmp_path / "new.csv")).frame
    assert schema.parse(as_pandas).codes[:, at].tolist() == [0, MISSING, 1]


def test_schema_survives_json_exactly():
    schema = infer(frame(id=list(range(ROWS))), drop=["number"])
    again = Schema.from_plain(json.loads(json.dumps(schema.to_plain())))
    assert again == schema
    table = frame(id=list(range(ROWS)))
    np.testing.assert_array_equal(again.parse(table).codes, schema.parse(table).codes)


@pytest.mark.parametrize(
    "plain", [{}, {"columns": 5}, {"columns": [{}], "target": "y", "classes": None}, {"columns": []}]
)
def test_damaged_schema_is_an_error(plain):
    with pytest.raises(AurifyError, match="schema is damaged"):
        Schema.from_plain(plain)


def test_every_way_to_bring_the_same_table_gives_the_same_store(lab, frames, csv_files):
    """The CSV, polars, pandas and a dict of columns: one fingerprint."""
    for kind, table in frames.items():
        sources = [csv_files[kind], table, table.to_pandas(), table.to_dict(as_series=False), table.lazy()]
        assert len({lab.task(kind).read(Source(target="y"), s)[0].fingerprint for s in sources}) == 1


def test_all_rows_of_a_real_table_are_typed(shared_data, lab):
    path = shared_data("telco_churn/Telco-Customer-Churn.csv")
    store, notes = lab.task("classify").read(Source(target="Churn"), path)
    assert len(store) == 7043
    assert store.schema.classes == ("No", "Yes")
    assert "TotalCharges" in {c.name for c in store.schema.numbers}, "11 blanks of a space do not make it text"
    assert int(np.isnan(store.inputs["numbers"]).sum()) == 11
    assert any("customerID" in note and "an id" in note for note in notes)


def test_gaps_and_places_of_real_houses_are_read(shared_data, lab):
    store, _ = lab.task("regress").read(
        Source(target="median_house_value"), shared_data("california_housing/housing.csv")
    )
    assert len(store) == 20_640
    assert store.schema.classes is None
    assert [c.name for c in store.schema.categories] == ["ocean_proximity"]
    assert int(np.isnan(store.inputs["numbers"]).sum()) == 207
