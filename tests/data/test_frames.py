"""A table and its targets given apart are the table that holds them, in whichever form they come."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from aurify.core.errors import AurifyError
from aurify.data.frames import frame_of, with_target

ROWS = [[1.5, "a"], [2.5, None], [None, "b"]]
TABLE = pl.DataFrame({"column_1": [1.5, 2.5, None], "column_2": ["a", None, "b"]})
NUMBERS, WORDS = [0.5, None, 2.0], ["no", "yes", None]


def test_rows_of_cells_are_a_table():
    assert frame_of(ROWS).equals(TABLE)
    assert frame_of([tuple(row) for row in ROWS]).equals(TABLE)


@pytest.mark.parametrize(
    "target",
    [
        *(NUMBERS, tuple(NUMBERS), np.array([0.5, np.nan, 2.0]), np.array([[0.5], [np.nan], [2.0]])),
        *(pl.Series(NUMBERS), pd.Series(NUMBERS), pa.array(NUMBERS), [[0.5], [None], [2.0]]),
        *(WORDS, np.array(WORDS, dtype=object), pl.Series(WORDS), pd.Series(WORDS), pa.array(WORDS)),
        pd.Series(WORDS, dtype="category"),
    ],
    ids=lambda target: type(target).__name__,
)
def test_targets_of_every_form_are_the_same_column(target):
    frame, name, notes = with_target(ROWS, target)
    held = WORDS if frame["target"].dtype == pl.String else NUMBERS
    assert (name, notes) == ("target", [])
    assert frame.equals(TABLE.with_columns(target=pl.Series(held)))


@pytest.mark.parametrize(
    "target",
    [
        pd.Series(NUMBERS, name="y", index=[7, 8, 9]),
        pl.Series("y", NUMBERS),
        pd.DataFrame({"y": NUMBERS}),
        pl.DataFrame({"y": NUMBERS}),
        pa.table({"y": NUMBERS}),
    ],
    ids=lambda target: type(target).__module__,
)
def test_target_keeps_its_name(target):
    frame, name, _ = with_target(TABLE, target)
    assert name == "y"
    assert frame.equals(TABLE.with_columns(y=pl.Series(NUMBERS)))


def test_table_keeps_its_own_column_and_the_target_takes_another_name():
    table = pl.DataFrame({"target": [1, 2, 3], "target_2 ": [4, 5, 6]})
    frame, name, (said,) = with_target(table, NUMBERS)
    assert name == "target_3"
    assert frame["target"].to_list() == [1, 2, 3]
    assert said == "the table has a column 'target' of its own: the target is called 'target_3'"


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        (TABLE, [1, 2], "the table has 3 rows and the target 2 values"),
        (TABLE, np.ones((3, 2)), "the target has 2 columns"),
        (TABLE, np.ones((3, 2, 2)), "a ndarray is no target; give the name of a column"),
        (TABLE, 5, "a int is no target"),
        ("telco.csv", [1, 2], "targets beside the file telco.csv: name its target column instead"),
        ([[1, 2], [3]], [1, 2], "rows of 1 and of 2 cells"),
    ],
)
def test_targets_that_are_no_column_are_refused_in_one_line(source, target, said):
    with pytest.raises(AurifyError, match=said) as raised:
        with_target(source, target)
    assert "\n" not in str(raised.value)
