"""Raw values become typed columns, the same way at every place and time."""

import datetime
import json

import numpy as np
import pandas as pd
import polars as pl
import pytest

from aurify.core.errors import AurifyError
from aurify.core.recipe import Source
from aurify.data.csv_rows import MISSING_MARKS
from aurify.data.schema import MISSING, UNKNOWN, Schema
from aurify.data.sources import read_frame
from aurify.data.texts import MARKS

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
            "free text (tables learn from numbers and categories)",
        ),
        ([f"{i:064x}" for i in range(ROWS)], "left out", "an id (60 different values in 60 rows)"),
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
        for later in (written, table, table.to_pandas(), read_frame(tmp_path / "t.csv", texts=schema.as_written).frame):
            parsed = schema.parse(read_frame(later).frame)
            assert parsed.codes[:4, 0].tolist() == [0, 1, 1, 0]
            assert schema.parse_target(read_frame(later).frame)[:4].tolist() == [0, 1, 0, 1]


def test_nested_columns_are_left_out():
    schema = infer(frame(x=[[1, 2]] * 30 + [[3]] * 30, z=[{"a": 1}, {"a": 2}] * 30))
    assert column(schema, "x").kind == column(schema, "z").kind == "left out"


def test_dates_are_the_same_from_a_data_frame_and_from_texts():
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=i % 10) for i in range(ROWS)]
    table, texts = frame(day=days), frame(day=[str(day) for day in days])
    schema = infer(table)
    assert schema == infer(texts)
    assert [c.name for c in schema.dates] == ["day"]
    expected = np.array(days, dtype="datetime64[s]").astype(float)
    for later in (table, texts, read_frame(table.to_pandas()).frame):
        np.testing.assert_array_equal(schema.parse(later).dates[:, 0], expected)


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
    assert "no number in 'abc'; taken as missing" in parsed.notes[0]


def test_infinite_numbers_are_missing_and_said():
    schema = infer(frame())
    for cells in ([1.5, float("inf"), float("-inf"), None, float("nan")], ["1.5", "inf", "-inf", "", "nan"]):
        parsed = schema.parse(pl.DataFrame({"number": cells, "colour": ["red"] * 5}))
        np.testing.assert_array_equal(parsed.numbers[:, 0], [1.5, np.nan, np.nan, np.nan, np.nan])
        assert parsed.notes == ("column 'number': infinite values taken as missing: 2",)


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
    table = read_frame(tmp_path / "new.csv", texts=schema.as_written).frame
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


@pytest.mark.slow
def test_every_way_to_bring_the_same_table_gives_the_same_store(lab, frames, csv_files):
    """The CSV, polars, pandas and a dict of columns: one fingerprint."""
    for kind, path in csv_files.items():
        table = frames[kind]
        sources = [path, table, table.to_pandas(), table.to_dict(as_series=False), table.lazy()]
        assert len({lab.task(kind).read(Source(target="y"), s).store.fingerprint for s in sources}) == 1


def test_all_rows_of_a_real_table_are_typed(shared_data, lab):
    path = shared_data("telco_churn/Telco-Customer-Churn.csv")
    store = lab.task("classify").read(Source(target="Churn"), path).store
    assert len(store) == 7043
    assert store.schema.classes == ("No", "Yes")
    assert "TotalCharges" in {c.name for c in store.schema.numbers}, "11 blanks of a space do not make it text"
    assert int(np.isnan(store.inputs["numbers"]).sum()) == 11
    assert store.schema.ids == ("customerID",)


def test_gaps_and_places_of_real_houses_are_read(shared_data, lab):
    path = shared_data("california_housing/housing.csv")
    store = lab.task("regress").read(Source(target="median_house_value"), path).store
    assert len(store) == 20_640
    assert store.schema.classes is None
    assert [c.name for c in store.schema.categories] == ["ocean_proximity"]
    assert int(np.isnan(store.inputs["numbers"]).sum()) == 207


def said(schema, name):
    return " ".join(note for note in schema.notes if repr(name) in note)


def test_way_of_writing_numbers_is_kept_and_said():
    """A later table whose cells alone would mean something else is read as the first one was."""
    schema = infer(frame(price=[f"1.{i:03d},5" for i in range(ROWS)]))
    assert column(schema, "price").format == "1.234,5"
    assert "'1.000,5' is read as the number 1000.5" in said(schema, "price")
    assert "price" in schema.as_written
    parsed = schema.parse(frame().head(1).with_columns(price=pl.lit("1.234")))
    assert parsed.numbers[0, 1] == 1234


def test_thousands_that_could_be_decimals_are_said_and_may_be_overruled():
    table = frame(x=[f"{i},234" for i in range(1, ROWS + 1)])
    schema = infer(table)
    assert schema.parse(table).numbers[0, 1] == 1234
    assert "say --types x=number:1234,5" in said(schema, "x")
    overruled = Schema.infer(table, "y", (), "auto", types=["x=number:1234,5"])
    assert overruled.parse(table).numbers[0, 1] == 1.234
    assert overruled.notes == ()


@pytest.mark.parametrize(
    ("values", "types", "kind", "format"),
    [
        (["01", "1", "2"] * 20, "category", "category", ""),
        ([1, 2, 3] * 20, "category", "category", ""),
        (["1", "2", "x"] * 20, "number", "number", "1234.5"),
        ([1.7e9 + i for i in range(ROWS)], "date", "date", "seconds since 1970"),
        ([1_700_000_000_000 + i for i in range(ROWS)], "date", "date", "milliseconds since 1970"),
        (["3/4/2024", "5/6/2024"] * 30, "date:%d/%m/%Y", "date", "%d/%m/%Y"),
        ([20240305, 20240306] * 30, "number", "number", ""),
        ([1, 2, 3] * 20, "id", "left out", ""),
        (["a", "b"] * 30, "text", "left out", ""),
    ],
)
def test_user_says_what_a_column_is(values, types, kind, format):
    table = frame(x=values)
    schema = Schema.infer(table, "y", (), "auto", types=[f"x={types}"])
    found = column(schema, "x")
    assert found.kind == kind
    assert found.format in (format, "")
    assert found.values == (() if kind != "category" else ("1", "2", "3") if values[0] == 1 else ("01", "1", "2"))
    assert ("x" in schema.ids) == (types == "id")
    parsed = schema.parse(table)
    for typed in (parsed.dates, parsed.codes):
        assert np.isfinite(typed).all()
        assert (typed >= 0).all()


@pytest.mark.parametrize(
    ("types", "problem"),
    [
        ("colour=numbr", "did you mean 'number'"),
        ("colour", "not of the form column=type; types: number, category, date, text, image, id"),
        ("color=category", "column 'color' is not in the data; did you mean 'colour'"),
        ("colour=number", "column 'colour' holds no number"),
        ("colour=date", "column 'colour' holds no date"),
        ("colour=date:%Q", "known: %Y-%m-%d"),
        ("colour=number:9", "known: 1234.5"),
        ("y=category", "task.kind"),
    ],
)
def test_type_that_cannot_be_is_refused(types, problem):
    with pytest.raises(AurifyError, match=problem):
        Schema.infer(frame(), "y", (), "auto", types=[types])


def test_values_that_a_column_given_as_number_cannot_hold_are_said():
    table = frame(x=["1", "red", "blue"] * 20)
    parsed = Schema.infer(table, "y", (), "auto", types=["x=number"]).parse(table)
    assert "no number in 'red', 'blue'; taken as missing" in parsed.notes[0]


def test_ids_that_do_not_count_are_known_by_their_name():
    unique = np.random.default_rng(1).choice(10_000, ROWS, replace=False)
    schema = infer(
        frame(customer_id=unique, orderID=unique, height=unique, paid=unique, shuffled=list(range(ROWS))[::-1])
    )
    assert schema.ids == ("customer_id", "orderID", "shuffled")
    assert "say --types height=id" in said(schema, "height")


def test_marks_of_missing_values_depend_on_what_the_column_is():
    table = frame(
        number=["1", "-", "None", "n/a", "NULL", "."] * 10,
        garage=["None", "-", "big", "NA", "Null", "?"] * 10,
        own=["1", "2", "gone", "3", "4", "5"] * 10,
        coded=[1, -999, 3, 4, 5, 5] * 10,
    )
    schema = Schema.infer(table, "y", (), "auto", missing=["gone", "-999"])
    parsed = Schema.from_plain(json.loads(json.dumps(schema.to_plain()))).parse(table)
    assert parsed.notes == ()
    gaps = {c.name: np.isnan(parsed.numbers[:6, at]).tolist() for at, c in enumerate(schema.numbers)}
    assert gaps["number"] == [False, True, True, True, True, True]
    assert gaps["own"] == [False, False, True, False, False, False]
    assert gaps["coded"] == [False, True, False, False, False, False]
    assert column(schema, "garage").values == ("-", "None", "big")
    at = [c.name for c in schema.categories].index("garage")
    assert parsed.codes[:6, at].tolist() == [1, 0, 2, MISSING, MISSING, MISSING]


def test_what_a_text_file_reads_as_missing_is_missing_in_a_data_frame_too():
    assert {mark.lower() for mark in MISSING_MARKS} <= MARKS


def test_words_for_true_and_false_are_one_spelling_and_know_one_another():
    schema = infer(frame(paid=["yes", "No", "YES", "no"] * 15))
    assert column(schema, "paid").values == ("no", "yes")
    at = [c.name for c in schema.categories].index("paid")
    for later in (["Yes", "NO"], [True, False], ["t", "F"], [1, 0], ["Y", "n"]):
        table = pl.DataFrame({"number": [0.0, 0.0], "colour": ["red", "red"], "paid": later})
        assert schema.parse(table).codes[:, at].tolist() == [1, 0], later


def test_numbers_of_zero_and_one_take_true_and_false():
    schema = infer(frame(member=[0, 1] * 30))
    table = pl.DataFrame({"number": [0.0, 0.0], "colour": ["red", "red"], "member": [True, False]})
    assert schema.parse(table).numbers[:, 1].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("labels", "positive", "classes"),
    [
        (("yes", "no"), "no", ("yes", "no")),
        (("yes", "no"), None, ("no", "yes")),
        (("Yes", "no"), None, ("no", "Yes")),
        (("normal", "abnormal"), None, ("normal", "abnormal")),
        ((1, -1), None, ("-1", "1")),
        ((1, 2), "1.0", ("2", "1")),
        (("阴性", "阳性"), None, ("阴性", "阳性")),
    ],
)
def test_class_that_is_looked_for_comes_second(labels, positive, classes):
    table = frame(y=list(labels) * 30)
    schema = Schema.infer(table, "y", (), "auto", positive=positive)
    assert schema.classes == classes
    expected = [classes.index(str(label)) for label in labels]
    assert schema.parse_target(table)[:2].tolist() == expected


def test_positive_class_that_cannot_be_is_refused():
    with pytest.raises(AurifyError, match="no class of 'y'; did you mean 'yes'"):
        Schema.infer(frame(), "y", (), "auto", positive="yess")
    with pytest.raises(AurifyError, match="is for targets of two classes, and 'y' is 3 classes"):
        Schema.infer(frame(y=["a", "b", "c"] * 20), "y", (), "auto", positive="a")
    with pytest.raises(AurifyError, match="is a number"):
        Schema.infer(frame(y=np.arange(ROWS) / 7), "y", (), "auto", positive="a")


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        (["2024-01-02", "2024-01-03"] * 30, "is a date"),
        ([datetime.date(2024, 1, 2), datetime.date(2024, 1, 3)] * 30, "made of Date values"),
        ([*map(str, range(ROWS - 1)), "abc"], r"not a number \('abc'\); mend these cells"),
    ],
)
def test_target_of_dates_or_with_slips_is_refused(target, problem):
    with pytest.raises(AurifyError, match=problem):
        infer(frame(y=target))


def test_target_with_decimal_commas_is_a_number():
    table = frame(y=[f"{i},5" for i in range(ROWS)])
    schema = infer(table)
    np.testing.assert_array_equal(schema.parse_target(table), np.arange(ROWS) + 0.5)


def test_weights_are_read_and_not_learnt_from():
    table = frame(w=["1,5", "2", "0", "?"] * 15)
    schema = Schema.infer(table, "y", (), "auto", weight="w")
    assert column(schema, "w").reason == "the rows' weight"
    np.testing.assert_array_equal(schema.parse_weight(table)[:4], [1.5, 2, 0, np.nan])
    assert schema.parse_weight(table.drop("w")) is None
    for values, problem in (
        ([-1.0] * ROWS, "holds -1"),
        ([0.0] * ROWS, "no weight above 0"),
        (["x"] * ROWS, "not numbers"),
    ):
        with pytest.raises(AurifyError, match=problem):
            schema.parse_weight(frame(w=values))
    with pytest.raises(AurifyError, match="both the weight and the target"):
        Schema.infer(table, "y", (), "auto", weight="y")


@pytest.mark.parametrize(
    "values",
    [
        *([b"\xff", b"1"], [[1], [2]], [{"a": 1}, None], [object(), None], [True, None], [2**70, None], [None, None]),
        *([datetime.time(1, 2), None], [datetime.timedelta(days=1), None], [datetime.date(2020, 1, 1), None]),
    ],
    ids=lambda values: ", ".join(type(value).__name__ for value in values),
)
@pytest.mark.parametrize("name", ["number", "colour", "day"])
def test_later_column_of_any_type_is_parsed_or_said(name, values):
    days = [datetime.date(2020, 1, 1) + datetime.timedelta(days=i % 10) for i in range(ROWS)]
    schema = infer(frame(day=days))
    table = (
        frame(day=days)
        .head(2)
        .with_columns(pl.Series(name, values, dtype=pl.Object if "object" in str(values) else None))
    )
    parsed = schema.parse(table)
    assert parsed.codes[1, 0] in (MISSING, UNKNOWN, 0, 1)
    understood = np.isfinite(parsed.numbers[0, 0]) and np.isfinite(parsed.dates[0, 0]) and parsed.codes[0, 0] >= 0
    assert understood or parsed.notes or values == [None, None]


FIRST, LAST = ("Anna", "Bert", "Clara", "David", "Eva", "Frank", "Gina"), ("Miller", "Jones", "Garcia", "Moore", "Hill")
NAMING = {
    "people": "{b}, Mrs. {a} {c} ({d} {b})",
    "addresses": "{n} {b} Street, {c}town {m}",
    "parts": "SKU {n} REV {m} LOT {n}",
    "phones": "+49 {n} {m} {n} 12",
    "companies": "{b} {a} {c} {d} Inc",
    "places": "0.{n} 1.{m} 7.{n} 0.5",
    "files": "/data/{a}/{b}/file {n} of {m}.png",
    "addresses in Chinese": "\u5317\u4eac\u5e02\u6d77\u6dc0\u533a\u5173\u6751\u8def{n}\u53f7\u9662{m}\u53f7\u697c",
}
SAYING = {
    "headlines": "{a} beats {b} in match {n}",
    "capitals": "WHY {a} LEFT THE TOWN OF {b} {n}",
    "shouting in Chinese": "{n}\u53f7\u623f\u95f4\u5f88\u5927\u4e0b\u6b21\u518d\u6765",
}


def naming(form):
    random = np.random.default_rng(0)
    draw = lambda names: str(random.choice(names))  # noqa: E731
    return [
        form.format(a=draw(FIRST), b=draw(LAST), c=draw(FIRST), d=draw(FIRST), n=at, m=random.integers(1, 99))
        for at in range(200)
    ]


@pytest.mark.parametrize("what", NAMING)
def test_what_names_a_row_is_no_text_to_learn_from(what):
    frame = pl.DataFrame({"x": naming(NAMING[what]), "y": ["a", "b"] * 100, "z": range(0, 400, 2)})
    (column, *_) = Schema.infer(frame, "y", (), "auto", beyond={"text"}).columns
    assert column.kind == "left out"


@pytest.mark.parametrize("what", SAYING)
def test_short_texts_that_say_something_are_texts(what):
    frame = pl.DataFrame({"x": naming(SAYING[what]), "y": ["a", "b"] * 100})
    (column, *_) = Schema.infer(frame, "y", (), "auto", beyond={"text"}).columns
    assert column.kind == "text"
