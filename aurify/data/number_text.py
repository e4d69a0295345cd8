"""Numbers as people write them: separators, signs, units and clocks, one way of writing per column."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

CLOCK = "12:30:00"
PLAIN = "1234.5"
FORMATS = (PLAIN, "1,234.5", "1234,5", "1.234,5", "1 234.5", "1 234,5", "1'234.5", "1'234,5", CLOCK)
"""Ways of writing a number, each by an example. Of several that read equally many cells the first is taken: 1.234 is a
little more than 1, and 1,234 is more than a thousand where every comma of the column stands before three digits."""

UNITS = r"(?:[%$€£¥₩₹₽元円]|US\$|USD|EUR|GBP|CHF|CNY|RMB|JPY)"
WIDE = {chr(0xFF10 + digit): str(digit) for digit in range(10)} | dict(
    zip("．，％＋－（）＄￥−–’\u00a0\u202f\u2009\u3000", ".,%+-()$¥--'    ", strict=True)
)
CLOCK_TEXT = r"^(-?)(\d{1,3}):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?$"
LOOKS_NUMERIC = rf"^[+-]?[\d.,' ]*\d[\d.,' ]*(?:[eE][+-]?\d+)?$|{CLOCK_TEXT}"


def find_format(counted: pl.DataFrame) -> tuple[str, int]:
    """The way of writing that reads the most rows of ``text`` and ``rows``, and how many rows that is."""
    import polars as pl

    texts = pl.DataFrame({"text": _tidied(counted["text"]), "rows": counted["rows"]})
    texts = texts.filter(pl.col("text").str.contains(LOOKS_NUMERIC))
    read = {f: int(texts.filter(pl.col("text").str.contains(_pattern(f)))["rows"].sum()) for f in FORMATS}
    return max(read.items(), key=lambda item: item[1])


def read_numbers(texts: pl.Series, format: str) -> pl.Series:
    """Stripped texts as float64, null where there is none. A unit is left out: 12% is 12, as a cell of 12 would be."""
    import polars as pl

    if format in (PLAIN, "", "1,234.5"):
        numbers = texts.cast(pl.Float64, strict=False)
    else:
        numbers = pl.Series([None], dtype=pl.Float64).new_from_index(0, len(texts))
    if numbers.null_count() > texts.null_count():
        left = numbers.is_null() & texts.is_not_null()
        numbers = numbers.scatter(left.arg_true(), _read_tidied(_tidied(texts.filter(left)), format or PLAIN))
    return numbers


def _read_tidied(texts: pl.Series, format: str) -> pl.Series:
    import polars as pl

    fitting = pl.select(pl.when(texts.str.contains(_pattern(format))).then(texts)).to_series()
    if format == CLOCK:
        return _seconds(fitting)
    thousands, decimal = _marks(format)
    plain = fitting.str.replace_all(thousands, "", literal=True) if thousands else fitting
    return plain.str.replace(decimal, ".", literal=True).cast(pl.Float64, strict=False)


def _seconds(clocks: pl.Series) -> pl.Series:
    """Hours, minutes and perhaps seconds as seconds."""
    import polars as pl

    sign, hours, minutes, seconds = (clocks.str.extract(CLOCK_TEXT, at) for at in (1, 2, 3, 4))
    total = hours.cast(pl.Float64) * 3600 + minutes.cast(pl.Float64) * 60 + seconds.cast(pl.Float64).fill_null(0.0)
    return total * (1.0 - 2.0 * (sign == "-").cast(pl.Float64))


def _tidied(texts: pl.Series) -> pl.Series:
    """Plain digits and signs: full-width ones made narrow, units left out, (5) as -5."""
    texts = texts.str.replace_many(list(WIDE), list(WIDE.values())).str.strip_chars()
    texts = texts.str.replace(r"^\((.+)\)$", "-${1}")
    return texts.str.replace(rf"^([+-]?)\s*{UNITS}\s*([+-]?)", "${1}${2}").str.replace(rf"\s*{UNITS}$", "")


def _marks(format: str) -> tuple[str, str]:
    """What separates thousands ("" for nothing), and what begins decimals."""
    return ("" if format[1].isdigit() else format[1]), format[-2]


def _pattern(format: str) -> str:
    if format == CLOCK:
        return CLOCK_TEXT
    thousands, decimal = map(re.escape, _marks(format))
    whole = r"\d+"
    if thousands:
        inner = r"\d{2,3}" if thousands == "," else r"\d{3}"  # 12,34,567 is Indian
        whole = rf"(?:[1-9]\d{{0,2}}(?:{thousands}{inner})*{thousands}\d{{3}}|\d+)"
    return rf"^[+-]?(?:{whole}(?:{decimal}\d*)?|{decimal}\d+)(?:[eE][+-]?\d+)?$"
