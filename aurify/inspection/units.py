"""Units that stand in cells beside numbers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

NAMES = (
    *("kg", "kgs", "g", "mg", "lb", "lbs", "oz", "st", "t", "km", "m", "cm", "mm", "mi", "mile", "miles", "ft", "in"),
    *(
        "inch",
        "inches",
        '"',
        "'",
        "yd",
        "s",
        "sec",
        "secs",
        "second",
        "seconds",
        "ms",
        "min",
        "mins",
        "minute",
        "minutes",
    ),
    *(
        "h",
        "hr",
        "hrs",
        "hour",
        "hours",
        "d",
        "day",
        "days",
        "week",
        "weeks",
        "month",
        "months",
        "mo",
        "mos",
        "y",
        "yr",
    ),
    *("yrs", "year", "years", "°C", "°F", "°", "k", "M", "bn", "mph", "km/h", "l", "L", "ml", "mL"),
    *("kW", "kWh", "Hz", "GB", "MB", "TB", "bps", "%", "€", "$", "£", "USD", "EUR", "GBP", "CNY", "RMB"),
    *(
        "公斤",
        "千克",
        "斤",
        "克",
        "吨",
        "公里",
        "千米",
        "米",
        "厘米",
        "毫米",
        "岁",
        "年",
        "个月",
        "月",
        "天",
        "日",
        "小时",
    ),
    *(
        "分钟",
        "秒",
        "元",
        "万",
        "万元",
        "亿",
        "亿元",
        "美元",
        "人",
        "件",
        "个",
        "次",
        "平方米",
        "平米",
        "㎡",
        "℃",
        "度",
    ),
)
UNIT = r"^[+-]?\d[\d.,]*\s*(" + "|".join(re.escape(name) for name in sorted(NAMES, key=len, reverse=True)) + r")\.?$"
NUMBER = r"^([+-]?\d[\d.,]*)"
BARE = r"^[+-]?\d[\d.,]*(?:[eE][+-]?\d+)?$"

SIGN = r"([%$€£¥￥₩₹₽元円]|US\$|USD|EUR|GBP|CHF|CNY|RMB|JPY)"
"""What reading leaves out of a number."""


def with_units(held: pl.DataFrame) -> pl.DataFrame:
    """``text``, ``rows`` and, of a number with a unit, its ``unit``: "" for a bare number, null for anything else."""
    import polars as pl

    text = pl.col("text")
    unit = text.str.extract(UNIT, 1)
    return held.with_columns(unit=pl.when(unit.is_null() & text.str.contains(BARE)).then(pl.lit("")).otherwise(unit))


def with_signs(held: pl.DataFrame) -> pl.DataFrame:
    """``text``, ``rows`` and the currency or percent ``sign`` in it, "" for none."""
    import polars as pl

    return held.with_columns(sign=pl.col("text").str.extract(SIGN, 1).replace({"￥": "¥"}).fill_null(""))
