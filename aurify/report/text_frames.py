"""Worlds that draw themselves as texts: one moment after another, side by side as far as a line goes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import zip_longest

WIDTH = 88
"""Letters of a line on a page."""

GAP = 4


def marked(text: str) -> str:
    """A text in which what a terminal would colour stands in brackets."""
    found = re.sub(r"\x1b\[[1-9][\d;]*m(.*?)\x1b\[0m", r"[\1]", text)
    return re.sub(r"\x1b\[[\d;]*m", "", found).strip("\n")


def side_by_side(frames: Sequence[tuple[str, str]]) -> str:
    """Texts, each under its own title, in rows that are as wide as a page."""
    columns = [[title, *text.splitlines()] for title, text in frames]
    return "\n\n".join("\n".join(_row(row)) for row in _rows(columns))


def _rows(columns: Sequence[list[str]]) -> Iterator[list[list[str]]]:
    row, used = list[list[str]](), 0
    for column in columns:
        if row and used + _wide(column) > WIDTH:
            yield row
            row, used = [], 0
        row.append(column)
        used += _wide(column) + GAP
    yield row


def _row(columns: Sequence[list[str]]) -> Iterator[str]:
    widths = [_wide(column) for column in columns]
    for line in zip_longest(*columns, fillvalue=""):
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True))
        yield (" " * GAP).join(cells).rstrip()


def _wide(column: Sequence[str]) -> int:
    return max(map(_width, column))


def _width(text: str) -> int:
    """Places of a text in a fixed-width font, where Chinese takes two."""
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
