"""Pictures of evidence as plain data, and what plain data may be: files of a run may be anybody's."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Exhibit:
    """A picture of evidence; ``report/exhibits.py`` draws each ``kind``. Raises ValueError for what none can be.

    ``rows``: ``header`` [C] and ``rows`` [R][C] of texts, ``marks`` [[row, column], ...] the cells to look at.
    ``map``: ``columns`` [C], ``bins`` [B] labels of stretches of rows, ``shares`` [B][C] from 0 to 1.
    ``bars``: ``names`` [N], ``values`` [N], ``low`` and ``high`` [N] or None, ``axis`` a text, ``reference`` a number
    to compare with or None. ``line``: ``x`` [N] numbers, ``y``, ``low``, ``high`` [N], ``across`` and ``up`` texts;
    where ``low`` and ``high`` are None, as a whole or at some places, there is no interval. ``images``: ``strips``,
    lists of pictures: ``source`` a data URI of a PNG or JPEG, ``width`` and ``height`` in pixels, ``text``.
    """

    kind: str
    caption: str
    data: Mapping[str, Any]

    def __post_init__(self) -> None:
        fits = KINDS.get(self.kind) if isinstance(self.kind, str) else None
        if fits is None or not isinstance(self.caption, str) or not is_plain(self.data) or not fits(self.data):
            raise ValueError(f"no exhibit: kind {self.kind!r}")


def is_plain(value: Any) -> bool:
    """Whether JSON knows a value: no arrays, and no number that is not finite."""
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and is_plain(inner) for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    return value is None or isinstance(value, str) or is_number(value) or isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether a value is a finite number that a chart can place."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def is_count(value: Any) -> bool:
    """Whether a value counts something, or is the number of a row."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def are_texts(value: Any) -> bool:
    return _list_of(lambda text: isinstance(text, str), value)


def _list_of(fits: Callable[[Any], bool], value: Any, length: int | None = None) -> bool:
    return isinstance(value, (list, tuple)) and all(map(fits, value)) and length in (None, len(value))


def _are_rows(data: Mapping[str, Any]) -> bool:
    header, rows, marks = data["header"], data["rows"], data["marks"]
    if (
        not are_texts(header)
        or not _list_of(are_texts, rows)
        or not _list_of(lambda at: _list_of(is_count, at, 2), marks)
    ):
        return False
    return all(len(row) == len(header) for row in rows) and all(r < len(rows) and c < len(header) for r, c in marks)


def _is_map(data: Mapping[str, Any]) -> bool:
    columns, bins = data["columns"], data["bins"]
    if not columns or not bins or not are_texts(columns) or not are_texts(bins):
        return False
    return _list_of(lambda row: _list_of(_is_share, row, len(columns)), data["shares"], len(bins))


def _is_share(value: Any) -> bool:
    return is_number(value) and 0 <= value <= 1


def _are_bars(data: Mapping[str, Any]) -> bool:
    names, reference = data["names"], data["reference"]
    known = bool(names) and are_texts(names) and isinstance(data["axis"], str) and _with_ends(data["values"], data)
    return known and len(data["values"]) == len(names) and (reference is None or is_number(reference))


def _is_line(data: Mapping[str, Any]) -> bool:
    x, texts = data["x"], (data["across"], data["up"])
    known = bool(x) and _list_of(is_number, x) and are_texts(texts) and _with_ends(data["y"], data)
    return known and len(data["y"]) == len(x)


def _are_images(data: Mapping[str, Any]) -> bool:
    return bool(data["strips"]) and _list_of(lambda strip: bool(strip) and _list_of(_is_picture, strip), data["strips"])


def _is_picture(value: Any) -> bool:
    source, sides = value["source"], (value["width"], value["height"])
    known = isinstance(source, str) and SOURCE.fullmatch(source) and isinstance(value["text"], str)
    return bool(known) and all(is_count(side) and 0 < side < 4096 for side in sides)


def _with_ends(values: Any, data: Mapping[str, Any]) -> bool:
    """Whether values are numbers, and each has both ends of an interval or none."""
    if not _list_of(is_number, values):
        return False
    low, high = (ends_of(data, side, len(values)) for side in ("low", "high"))
    ends = [_list_of(lambda end: end is None or is_number(end), side, len(values)) for side in (low, high)]
    return all(ends) and all((a is None) is (b is None) for a, b in zip(low, high, strict=True))


def ends_of(data: Mapping[str, Any], side: str, count: int) -> Sequence[float | None]:
    """The ``low`` or ``high`` ends of ``count`` intervals, None where there is none."""
    return [None] * count if data[side] is None else data[side]


SOURCE = re.compile(r"data:image/(?:png|jpeg);base64,[A-Za-z0-9+/]+={0,2}")

KINDS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "rows": _are_rows,
    "map": _is_map,
    "bars": _are_bars,
    "line": _is_line,
    "images": _are_images,
}
