"""How a table's own names and numbers are written."""

from __future__ import annotations

import math


def shown(name: str) -> str:
    """A user's name as it is, or quoted where nothing of it would be seen.

    >>> shown("age"), shown(" ")
    ('age', "' '")
    """
    return name if name.strip() and name.isprintable() else repr(name)


def amount(value: float) -> str:
    """A number of the data's own, whole or to four digits.

    >>> amount(45120.0), amount(0.0123456), amount(-3.0)
    ('45,120', '0.01235', '-3')
    """
    if value == 0 or not 1e-4 <= abs(value) < 1e12:
        return f"{value:.4g}"
    digits = 0 if float(value).is_integer() else max(0, 3 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"


def share(value: float) -> str:
    """``12.3 %`` on one line, and ``<0.1 %`` where there is little but not nothing."""
    return "<0.1\u00a0%" if 0 < value < 0.0005 else f"{100 * value:.1f}\u00a0%"
