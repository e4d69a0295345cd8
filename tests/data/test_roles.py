"""The column of a split is read however it is written, and what cannot split is said."""

import datetime as dt

import numpy as np
import polars as pl
import pytest

from aurify.core.errors import AurifyError
from aurify.data.roles import as_times, split_role

DAYS = [dt.datetime(2024, 3, 1), dt.datetime(2024, 12, 31), dt.datetime(1969, 12, 31)]
SECONDS = [d.replace(tzinfo=dt.UTC).timestamp() for d in DAYS]


@pytest.mark.parametrize(
    "values",
    [
        DAYS,
        [d.date() for d in DAYS],
        [d.strftime("%Y-%m-%d") for d in DAYS],
        [d.strftime("%d.%m.%Y") for d in DAYS],
        [d.strftime("%m/%d/%Y") for d in DAYS],
        [d.strftime("%Y-%m-%d %H:%M:%S") for d in DAYS],
        [d.strftime(" %Y-%m-%dT%H:%M ") for d in DAYS],
    ],
)
def test_dates_are_seconds_since_1970_however_they_are_written(values):
    found = as_times([pl.Series([*values, None], strict=False)], "t")
    np.testing.assert_array_equal(found, [*SECONDS, np.nan])


def test_numbers_are_times_as_they_are():
    for values in ([3, 1, None], [3.0, 1.0, float("inf")], ["3", " 1", "?"]):
        np.testing.assert_array_equal(as_times([pl.Series(values)], "t"), [3, 1, np.nan])


def test_one_slip_is_a_missing_time_and_words_are_refused():
    days = [f"2024-01-{d:02}" for d in range(1, 29)]
    assert np.isnan(as_times([pl.Series([*days, "soon"])], "t")).tolist() == [False] * 28 + [True]
    for values in (["red", "green", "blue"], [[1], [2], [3]]):
        with pytest.raises(AurifyError, match="column 't'"):
            as_times([pl.Series(values)], "t")


def test_groups_are_one_over_all_files_whatever_their_type():
    frames = [pl.DataFrame({"g": [7, 8, None, 7]}), pl.DataFrame({"g": ["8", "9", "", " 7"]})]
    roles, notes = split_role("group:g", frames, ["a.csv", "b.csv"])
    codes = roles["group"]
    assert codes.dtype == np.int64
    assert codes[0] == codes[3] == codes[7] != codes[1] == codes[4] != codes[5]
    assert (codes[[2, 6]] == -1).all()
    assert notes == ["2 rows have no value in 'g': each is taken as a group of its own"]


def test_column_that_is_not_there_is_said_with_the_nearest():
    frames = [pl.DataFrame({"patient": [1]}), pl.DataFrame({"x": [1]})]
    with pytest.raises(
        AurifyError, match=r"'patent' of --split group:patent is not in a.csv; did you mean 'patient'\?"
    ):
        split_role("group:patent", frames[:1], ["a.csv"])
    with pytest.raises(AurifyError, match=r"is not in b.csv"):
        split_role("time:patient", frames, ["a.csv", "b.csv"])
    assert split_role("random", frames, ["a.csv", "b.csv"]) == ({}, [])
