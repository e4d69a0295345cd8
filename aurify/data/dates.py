"""Dates and times as people write them: one order of year, month and day per column, seconds since 1970 out of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from aurify.core.words import said

if TYPE_CHECKING:
    import polars as pl

ISO, COMPACT = "%Y-%m-%d", "%Y%m%d"
SECONDS, MILLISECONDS = said("seconds since 1970"), said("milliseconds since 1970")
FORMATS = (
    *(ISO, "%Y/%m/%d", "%Y.%m.%d", "%Y年%m月%d日", COMPACT),
    *("%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%m.%d.%Y"),
    *("%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y", "%m-%d-%y"),
    *("%d-%B-%Y", "%d %B %Y", "%B %d, %Y", "%B %d %Y", "%d-%B-%y", "%d %B %y"),
    *("%Y-%m", "%Y/%m", "%m/%Y", "%Y年%m月", "%B %Y", "%B-%Y"),
)
"""Orders of a date, as strptime writes them. Of several that read equally many cells the first is taken: 3/4/2024 is
month first, 3.4.2024 and 3-4-2024 are day first, where no cell of the column decides."""

DIRECTIVES = {"%Y": r"\d{4}", "%y": r"\d{2}", "%m": r"\d{1,2}", "%d": r"\d{1,2}", "%B": r"[A-Za-z]{3,9}"}
MOMENT = (
    r"^(.*?\d.*?)(?:T|\s+)(\d{1,2}):([0-5]\d)(?::([0-5]\d(?:[.,]\d+)?))?\s*([AaPp][Mm])?\s*"
    r"(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?$"
)
DAY_SECONDS = 86_400.0
SAMPLE = 200
MILLISECONDS_FROM = 1e11
"""As seconds this would be the year 5138."""


def written(seconds: float) -> str:
    """A moment in seconds since 1970, to the day or to the second.

    >>> written(86400.0), written(-3600.0)
    ('1970-01-02', '1969-12-31 23:00:00')
    """
    moment = np.datetime64(round(seconds), "s")
    return str(moment.astype("datetime64[D]") if seconds % DAY_SECONDS == 0 else moment).replace("T", " ")


def find_format(counted: pl.DataFrame) -> tuple[str, int, str | None]:
    """The order that reads the most rows of ``text`` and ``rows``, how many, and another that reads as many."""
    import polars as pl

    step = max(1, counted.height // SAMPLE)
    sample = _dates_of(counted["text"].gather_every(step))
    possible = [f for f in FORMATS if sample.str.contains(_pattern(f)).any()]
    if not possible:
        return ISO, 0, None
    dates = pl.DataFrame({"text": _dates_of(counted["text"]), "rows": counted["rows"]})
    dates = dates.group_by("text").agg(pl.col("rows").sum())
    read = {f: int(dates.filter(_days(dates["text"], f).is_not_null())["rows"].sum()) for f in possible}
    best = max(read, key=lambda f: read[f])
    rivals = [f for f in possible if f != best and read[f] == read[best]]
    return best, read[best], rivals[0] if rivals else None


def read_dates(values: pl.Series, format: str) -> pl.Series:
    """Dates as float64 seconds since 1970 in UTC, null where there is none.

    ``values`` are texts, dates, moments, or the numbers that ``format`` speaks of. A time without a zone is taken as
    UTC, a month without a day as its first.
    """
    import polars as pl

    if values.dtype.is_temporal():
        return values.cast(pl.Datetime("us", getattr(values.dtype, "time_zone", None))).dt.epoch("us") / 1e6
    if format in (SECONDS, MILLISECONDS):
        return values.cast(pl.Float64, strict=False) / (1.0 if format == SECONDS else 1000.0)
    seconds = _days(values, format) * DAY_SECONDS
    if seconds.null_count() > values.null_count():
        left = seconds.is_null() & values.is_not_null()
        seconds = seconds.scatter(left.arg_true(), _moments(values.filter(left), format))
    return seconds


def _moments(texts: pl.Series, format: str) -> pl.Series:
    """Dates with a time of day, and perhaps a zone, as seconds."""
    import polars as pl

    days, (hours, minutes, seconds) = _days(texts.str.extract(MOMENT, 1), format), _numbers(texts, 2, 3, 4)
    half = texts.str.extract(MOMENT, 5).str.to_lowercase()
    late = 12.0 * (half == "pm").fill_null(False).cast(pl.Float64)
    hours = pl.select(pl.when(half.is_not_null()).then(hours % 12 + late).when(hours < 24).then(hours)).to_series()
    zone = texts.str.extract(MOMENT, 6)
    behind = zone.str.starts_with("-").fill_null(False).cast(pl.Float64)
    ahead_hours = zone.str.extract(r"^[+-](\d{2})").cast(pl.Float64).fill_null(0.0)
    ahead_minutes = zone.str.extract(r"^[+-]\d{2}:?(\d{2})$").cast(pl.Float64).fill_null(0.0)
    ahead = (1.0 - 2.0 * behind) * (ahead_hours * 3600 + ahead_minutes * 60)
    return days * DAY_SECONDS + hours * 3600 + minutes * 60 + seconds.fill_null(0.0) - ahead


def _numbers(texts: pl.Series, *groups: int) -> list[pl.Series]:
    import polars as pl

    return [texts.str.extract(MOMENT, at).str.replace(",", ".", literal=True).cast(pl.Float64) for at in groups]


def _dates_of(texts: pl.Series) -> pl.Series:
    """The texts without a time of day."""
    return texts.str.replace(MOMENT, "${1}")


def _days(texts: pl.Series, format: str) -> pl.Series:
    """Days since 1970 as float64."""
    import polars as pl

    fitting = pl.select(pl.when(texts.str.contains(_pattern(format))).then(texts)).to_series()
    if "%d" not in format:
        fitting, format = fitting + " 1", f"{format} %d"
    return fitting.str.strptime(pl.Date, format, strict=False).cast(pl.Int32).cast(pl.Float64)


def _pattern(format: str) -> str:
    """What a date of this order looks like; strptime alone would take 24-1-5 for a day of the year 24."""
    if format == COMPACT:
        return r"^(?:1[6-9]|2[01])\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$"
    return "^" + re.sub(r"%[YymdB]", lambda found: DIRECTIVES[found[0]], re.escape(format).replace("\\%", "%")) + "$"
