"""Which columns say when a row was, and which only tell of its time again."""

# N rows of the store

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from aurify.data.columns import DATE, NUMBER
from aurify.data.dates import DAY_SECONDS
from aurify.inspection.inspected import Inspected

ATTRIBUTE = re.compile(
    r"birth|born|dob\b|hire|hiring|join|found(?:ed|ing)|buil[dt]|construct|renovat|expir|vintage|model|since|death|died"
    r"|graduat|enrol|matur|due|manufactur|licen[cs]e|\bdod\b|marri|released?|出生|生日|入职|成立|建造|建成|到期|毕业",
    re.IGNORECASE,
)
"""Names of dates that say something about a thing, not when its row was written."""

WORDS = re.compile(r"[a-z]+|[A-Z][a-z]*|[^\W\d_a-zA-Z]+")
YEARS = frozenset({"year", "yr", "yyyy", "年", "年份", "年度"})
PARTS = frozenset(
    {"month", "mon", "day", "week", "weekday", "quarter", "hour", "date", "time", "season", "dow", "月", "日"}
)
STAMPS = frozenset({"time", "timestamp", "date", "datetime", "epoch", "ts", "when", "created", "时间", "日期"})
MONTHS, DAYS = frozenset({"month", "mon", "mnth", "月", "月份"}), frozenset({"day", "dom", "日"})

YEAR_DAYS = 365.25
FEWEST_TIMES, FEWEST_YEARS = 10, 4
MOST_MISSING = 0.2


@dataclass(frozen=True, eq=False)
class Clock:
    """A column that says when rows were: ``times`` (N,) in days where they are dates, NaN missing.

    Times that are ``dated`` have seasons. ``parts`` are columns that tell nothing but the time, this one among them.
    """

    name: str
    times: np.ndarray
    dated: bool
    parts: frozenset[str]

    @property
    def years(self) -> float:
        """How long they last, in years; 0 where the times have no seasons."""
        return float(np.nanmax(self.times) - np.nanmin(self.times)) / YEAR_DAYS if self.dated else 0.0


def clocks(seen: Inspected) -> list[Clock]:
    """The columns that may say when a row was, dates before stamps before years, the fullest first."""
    found: list[tuple[int, float, Clock]] = []
    for column in seen.columns:
        values = seen.typed(column.name)
        if values is None or column.kind not in (DATE, NUMBER) or ATTRIBUTE.search(column.name.replace("_", " ")):
            continue
        kind, times = _times(seen, column.name, column.kind, np.asarray(values, dtype=np.float64))
        known = times[seen.rows]
        missing = float(np.isnan(known).mean()) if len(known) else 1.0
        fewest = FEWEST_YEARS if kind == 2 else FEWEST_TIMES
        if kind < 0 or missing > MOST_MISSING or len(np.unique(known[~np.isnan(known)])) < fewest:
            continue
        clock = Clock(column.name, times, kind < 2, _parts(seen, column.name, times))
        found.append((kind, missing, clock))
    return [clock for _, _, clock in sorted(found, key=lambda each: each[:2])]


def words(name: str) -> frozenset[str]:
    """The words of a column's name, in small letters.

    >>> sorted(words("saleYear_2")), sorted(words("DATE"))
    (['sale', 'year'], ['date'])
    """
    return frozenset(word.lower() for word in WORDS.findall(name.lower() if name.isupper() else name))


def _times(seen: Inspected, name: str, kind: str, values: np.ndarray) -> tuple[int, np.ndarray]:
    """0 for dates, 1 for stamps, 2 for years, -1 for what is none; and the times (N,) themselves."""
    if kind == DATE:
        return 0, values / DAY_SECONDS
    present = values[seen.rows]
    present = present[~np.isnan(present)]
    if not len(present):
        return -1, values
    low, high = float(present.min()), float(present.max())
    if words(name) & STAMPS:
        for unit, least, most in ((1.0, 3e8, 4e9), (1e3, 3e11, 4e12)):
            if least <= low and high <= most:
                return 1, values / unit / DAY_SECONDS
    if words(name) & YEARS and low >= 1800 and high <= 2100 and (present == np.floor(present)).all():
        return 2, _with_months(seen, values)
    return -1, values


def _with_months(seen: Inspected, years: np.ndarray) -> np.ndarray:
    """Years with the share that a column of months, and one of days, has gone of them."""
    times = years.copy()
    for named, most, of in ((MONTHS, 12, 12.0), (DAYS, 31, 12 * 31.0)):
        for column in seen.schema.numbers:
            values = seen.typed(column.name)
            if values is not None and column.name not in seen.hidden and words(column.name) & named:
                present = values[~np.isnan(values)]
                if len(present) and present.min() >= 1 and present.max() <= most:
                    times += np.nan_to_num(values - 1) / of
                    break
        else:
            break
    return times


def _parts(seen: Inspected, name: str, times: np.ndarray) -> frozenset[str]:
    """Columns named as parts of a date, and numbers that go up or down with the times."""
    from scipy.stats import rankdata

    rows = seen.rows[seen.sample]
    rows = rows[~np.isnan(times[rows])]
    order = rankdata(times[rows])
    found = {name}
    for column in seen.columns:
        if words(column.name) & (PARTS | YEARS) or column.kind == DATE:
            found.add(column.name)
        elif column.kind == NUMBER:
            values = seen.typed(column.name)
            assert values is not None, "a number is typed"
            own = values[rows]
            known = ~np.isnan(own)
            if known.sum() > 20 and own[known].min() < own[known].max() and len(np.unique(order[known])) > 1:
                alike = np.corrcoef(rankdata(own[known]), order[known])[0, 1]
                if abs(alike) > 0.95:
                    found.add(column.name)
    return frozenset(found)
