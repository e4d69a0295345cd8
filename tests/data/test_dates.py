"""Dates and times as people write them become seconds since 1970."""

import datetime

import numpy as np
import polars as pl
import pytest

from aurify.data import dates

UTC = datetime.UTC


def read(*texts):
    counted = pl.DataFrame({"text": texts, "rows": [1] * len(texts)})
    format, count, rival = dates.find_format(counted)
    assert count == len(texts)
    return format, rival, dates.read_dates(counted["text"], format).to_list()


def at(*parts):
    return datetime.datetime(*parts, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("texts", "format", "moments"),
    [
        (("2024-03-05", "1969-12-31"), "%Y-%m-%d", [at(2024, 3, 5), -86400]),
        (("2024-03-05T14:30:00Z", "2024-03-05 14:30"), "%Y-%m-%d", [at(2024, 3, 5, 14, 30)] * 2),
        (
            ("2024-03-05 14:30:00.25+05:30", "2024-03-05T01:00-0200"),
            "%Y-%m-%d",
            [at(2024, 3, 5, 9) + 0.25, at(2024, 3, 5, 3)],
        ),
        (("3/15/2024", "4/5/2024"), "%m/%d/%Y", [at(2024, 3, 15), at(2024, 4, 5)]),
        (("15/3/2024", "4/5/2024"), "%d/%m/%Y", [at(2024, 3, 15), at(2024, 5, 4)]),
        (("2024/3/5", "2024/12/31 23:59:59"), "%Y/%m/%d", [at(2024, 3, 5), at(2024, 12, 31, 23, 59, 59)]),
        (("2024年3月5日", "2024年12月31日"), "%Y年%m月%d日", [at(2024, 3, 5), at(2024, 12, 31)]),
        (("20240305", "19991231"), "%Y%m%d", [at(2024, 3, 5), at(1999, 12, 31)]),
        (("31.12.24", "1.2.03"), "%d.%m.%y", [at(2024, 12, 31), at(2003, 2, 1)]),
        (("Mar 5, 2024", "March 15, 2024 3:04 PM"), "%B %d, %Y", [at(2024, 3, 5), at(2024, 3, 15, 15, 4)]),
        (("5-Mar-2024", "31-dec-2023 12:05 AM"), "%d-%B-%Y", [at(2024, 3, 5), at(2023, 12, 31, 0, 5)]),
        (("2024-03", "2023-12"), "%Y-%m", [at(2024, 3, 1), at(2023, 12, 1)]),
    ],
)
def test_dates_are_read_as_they_are_meant(texts, format, moments):
    assert read(*texts) == (format, None, moments)


def test_days_and_months_that_could_be_either_are_said_to_be():
    assert read("3/4/2024", "5/6/2024")[:2] == ("%m/%d/%Y", "%d/%m/%Y")
    assert read("3.4.2024", "5.6.2024")[:2] == ("%d.%m.%Y", "%m.%d.%Y")
    assert read("3-4-2024", "5-6-2024")[:2] == ("%d-%m-%Y", "%m-%d-%Y")


@pytest.mark.parametrize(
    "text", ["24-01-05", "2024-13-01", "2024-02-30", "1.2.3", "2024-03-05x", "2024-03-05 25:00", "5"]
)
def test_what_is_no_date_is_missing(text):
    for format in set(dates.FORMATS) - {"%d-%m-%y", "%m-%d-%y"}:
        assert dates.read_dates(pl.Series([text]), format).to_list() == [None], format


@pytest.mark.parametrize("format", dates.FORMATS)
def test_every_order_comes_back(format):
    random = np.random.default_rng(0)
    days = [datetime.date(1990, 1, 1) + datetime.timedelta(days=n) for n in random.integers(0, 12_000, 300).tolist()]
    days = days if "%d" in format else [day.replace(day=1) for day in days]
    texts = [day.strftime(format) for day in days]
    found, rival, seconds = read(*texts)
    assert (found, rival) == (format, None)
    assert seconds == [at(day.year, day.month, day.day) for day in days]


@pytest.mark.parametrize("unit", ["ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Shanghai"])
def test_moments_of_a_data_frame_are_seconds_whatever_their_unit_and_zone(unit, zone):
    moments = pl.Series([datetime.datetime(2024, 3, 5, 14, 30), None]).cast(pl.Datetime(unit))
    moments = moments if zone is None else moments.dt.replace_time_zone("UTC").dt.convert_time_zone(zone)
    assert dates.read_dates(moments, dates.ISO).to_list() == [at(2024, 3, 5, 14, 30), None]
