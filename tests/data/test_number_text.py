"""Numbers as people write them mean what they mean, and later tables are read as the first one was."""

import numpy as np
import polars as pl
import pytest

from aurify.data import number_text


def read(*texts):
    counted = pl.DataFrame({"text": texts, "rows": [1] * len(texts)}, schema_overrides={"text": pl.String})
    format, count = number_text.find_format(counted)
    assert count == len(texts)
    return format, number_text.read_numbers(counted["text"], format).to_list()


@pytest.mark.parametrize(
    ("texts", "format", "numbers"),
    [
        (("12", "-3.5", "+4", ".5", "5."), "1234.5", [12, -3.5, 4, 0.5, 5]),
        (("1e5", "-2.5E-3"), "1234.5", [1e5, -2.5e-3]),
        (("1,234,567.8", "12"), "1,234.5", [1234567.8, 12]),
        (("12,34,567.5", "-1,000"), "1,234.5", [1234567.5, -1000]),
        (("1.234.567,8", "3,5"), "1.234,5", [1234567.8, 3.5]),
        (("1 234 567", "1 234.5"), "1 234.5", [1234567, 1234.5]),
        (("1\u202f234,5", "5\u00a0000"), "1 234,5", [1234.5, 5000]),
        (("1'234", "1’234.5"), "1'234.5", [1234, 1234.5]),
        (("1,234", "2,500"), "1,234.5", [1234, 2500]),
        (("1,234", "1,5"), "1234,5", [1.234, 1.5]),
        (("0,123", "1,234"), "1234,5", [0.123, 1.234]),
        (("1.234", "2.500"), "1234.5", [1.234, 2.5]),
        (("12%", "13.5 %", "7"), "1234.5", [12, 13.5, 7]),
        (("$1,234.50", "-$3", "$-4", "($5.00)", "(6)"), "1,234.5", [1234.5, -3, -4, -5, -6]),
        (("€ 1.234,50", "2,00 €", "USD 3", "4 EUR"), "1.234,5", [1234.5, 2, 3, 4]),
        (("１２", "３．５", "−７"), "1234.5", [12, 3.5, -7]),
        (("14:30", "00:00:05.5", "-1:00"), "12:30:00", [52200, 5.5, -3600]),
    ],
)
def test_numbers_are_read_as_they_are_meant(texts, format, numbers):
    assert read(*texts) == (format, numbers)


@pytest.mark.parametrize(
    "text", ["10.0.0.1", "1.2.3", "2024-03-05", "5d", "1,23,4", "--1", "1e", "0x10", "(", "%", "1 2"]
)
def test_what_is_no_number_is_missing(text):
    for format in number_text.FORMATS:
        assert number_text.read_numbers(pl.Series([text]), format).to_list() == [None], format


@pytest.mark.parametrize("format", [f for f in number_text.FORMATS if f != number_text.CLOCK])
def test_every_way_of_writing_comes_back(format):
    random = np.random.default_rng(0)
    numbers = np.round(random.normal(size=500) * 10.0 ** random.integers(0, 8, 500), 2)
    thousands = "" if format[1].isdigit() else format[1]
    table = str.maketrans({",": thousands, ".": format[-2]})
    texts = pl.Series([f"{number:,.2f}".translate(table) for number in numbers])
    np.testing.assert_array_equal(number_text.read_numbers(texts, format), numbers)
    counted = pl.DataFrame({"text": texts, "rows": [1] * len(texts)})
    assert number_text.find_format(counted) == (format, 500)
