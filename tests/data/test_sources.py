"""CSV files and data frames of every kind become one table, or an error of one line."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from aurify.core.errors import AurifyError
from aurify.data.sources import read_frame


def read(tmp_path, content, name="t.csv", **options):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_frame(path, **options)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_separator_is_found_in_the_header(tmp_path, separator):
    frame = read(tmp_path, f"a{separator}b\n1{separator}x\n2{separator}y\n")
    assert frame.to_dict(as_series=False) == {"a": [1, 2], "b": ["x", "y"]}


def test_quoted_separators_quotes_and_line_breaks_stay_in_their_cell(tmp_path):
    frame = read(tmp_path, 'a,b\n"x, y","say ""hi"""\n"two\nlines",z\n')
    assert frame["a"].to_list() == ["x, y", "two\nlines"]
    assert frame["b"].to_list() == ['say "hi"', "z"]


def test_quoted_separator_in_the_header_is_no_separator(tmp_path):
    frame = read(tmp_path, '"a;b;c;d",e\n1,2\n3,4\n')
    assert frame.columns == ["a;b;c;d", "e"]


def test_byte_order_mark_and_windows_line_ends_are_taken_off(tmp_path):
    frame = read(tmp_path, b"\xef\xbb\xbfa,b\r\n1,x\r\n2,y\r\n")
    assert frame.to_dict(as_series=False) == {"a": [1, 2], "b": ["x", "y"]}


def test_spaces_around_column_names_are_taken_off(tmp_path):
    assert read(tmp_path, " a , b\n1,2\n").columns == ["a", "b"]


@pytest.mark.parametrize("mark", ["", "?", "NA", "N/A", "NaN", "null"])
def test_missing_marks_leave_a_column_of_numbers(tmp_path, mark):
    frame = read(tmp_path, f"a,b\n1,x\n{mark},y\n3.5,z\n")
    assert frame["a"].to_list() == [1.0, None, 3.5]


def test_numbers_that_appear_late_do_not_surprise_the_reader(tmp_path):
    """Types are inferred from the whole file, not from its first lines."""
    body = "".join(f"{i},1\n" for i in range(20_000)) + "0.5,late\n"
    frame = read(tmp_path, "a,b\n" + body)
    assert frame["a"].dtype == pl.Float64
    assert frame["b"][-1] == "late"


def test_one_column_is_a_table(tmp_path):
    assert read(tmp_path, "only\n1\n2\n").shape == (2, 1)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n1,2\n", "begins with a blank line"),
        (b"a,b\n", "no rows"),
        (b"a,b,a\n1,2,3\n", "two columns named 'a'"),
        (b"a, a\n1,2\n", "two columns named 'a'"),
        (b'"a","b","a"\n1,2,3\n', "two columns named 'a'"),
        (b"a\0b,c\n1,2\n", "not a text file"),
        ("ä,b\n1,2\n".encode("latin-1"), "not UTF-8"),
        ("a,b\n1,é\n".encode("latin-1"), "(?i)utf-8"),
        (b"a,b\n1,2,3,4\n", "CSV"),
        (b"PK\x03\x04\0\0\0\0", "not a text file"),
        (b"a,b\r1,2\r3,4\r", "CSV"),
        (b"a" * 200_000 + b",b\n1,2\n", "CSV"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path, content, said):
    with pytest.raises(AurifyError, match=said) as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "t.csv") in str(caught.value)


def test_absent_file_names_its_neighbours(tmp_path):
    (tmp_path / "churn.csv").write_text("a\n1\n")
    with pytest.raises(AurifyError, match=r"no file at .*chrun.csv; beside it are 'churn.csv'"):
        read_frame(tmp_path / "chrun.csv")
    with pytest.raises(AurifyError, match="is a folder"):
        read_frame(tmp_path)
    with pytest.raises(AurifyError, match="no file at"):
        read_frame("nowhere/at all.csv")


def test_texts_asked_for_come_as_written(tmp_path):
    frame = read(tmp_path, "a,b\n01,1.0\n1e3,2\n", texts=("a",))
    assert frame["a"].to_list() == ["01", "1e3"]


def test_every_kind_of_frame_gives_the_same_columns():
    columns = {"n": [1.5, None, 3.0], "i": [1, 2, 3], "s": ["x", None, "y"], "b": [True, False, True]}
    expected = pl.DataFrame(columns)
    as_pandas = pd.DataFrame({**columns, "i": np.array([1, 2, 3])})
    for source in (columns, expected, expected.lazy(), as_pandas):
        frame = read_frame(source)
        assert frame.columns == expected.columns
        for name in columns:
            assert [None if v is None else str(v) for v in frame[name].to_list()] == [
                None if v is None else str(v) for v in expected[name].to_list()
            ]


def test_pandas_oddities_are_taken_in():
    frame = pd.DataFrame(
        {
            "category": pd.Categorical(["x", None, "y"]),
            "nullable": pd.array([1, None, 3], dtype="Int64"),
            "mixed": [1, "two", None],
            "object_floats": np.array([1.5, None, np.nan], dtype=object),
            7: [1, 2, 3],
        },
        index=[5, 5, 9],
    )
    read = read_frame(frame)
    assert read.columns == ["category", "nullable", "mixed", "object_floats", "7"]
    assert read["category"].to_list() == ["x", None, "y"]
    assert read["nullable"].to_list() == [1, None, 3]
    assert read["mixed"].to_list() == ["1", "two", None]
    assert read["object_floats"].null_count() == 2


def test_pandas_with_two_columns_of_one_name_is_refused():
    with pytest.raises(AurifyError, match="two columns named 'a'"):
        read_frame(pd.DataFrame([[1, 2]], columns=["a", "a"]))


@pytest.mark.parametrize("source", [5, [1, 2], np.zeros((2, 2)), None, pd.Series([1])])
def test_what_is_no_frame_is_refused(source):
    with pytest.raises(AurifyError, match="is not a table"):
        read_frame(source)


def test_empty_frames_are_refused():
    for source in ({}, {"a": []}, pl.DataFrame(), pd.DataFrame()):
        with pytest.raises(AurifyError, match="no rows"):
            read_frame(source)


def test_ragged_dict_is_an_error_of_one_line():
    with pytest.raises(AurifyError) as caught:
        read_frame({"a": [1, 2], "b": [1, 2, 3]})
    assert "\n" not in str(caught.value)
