"""Rows of the data as an exhibit shows them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aurify.core.words import said
from aurify.data.findings import Exhibit
from aurify.inspection.inspected import Inspected

SHOWN_ROWS, SHOWN_COLUMNS, SHOWN_CHARACTERS = 25, 6, 40


def rows_exhibit(
    seen: Inspected, caption: str, rows: np.ndarray, beside: Sequence[tuple[str, Sequence[str]]]
) -> Exhibit:
    """The first of some rows (M,) by id: number, what is said ``beside`` them (a name and M texts), first columns.

    The first cell beside the row number is the one to look at.
    """
    shown = rows[:SHOWN_ROWS]
    names = [column.name for column in seen.columns][:SHOWN_COLUMNS]
    header = [said("row"), *(name for name, _ in beside), *names]
    cells = [[f"{row}" for row in shown.tolist()], *(list(map(_short, texts[: len(shown)])) for _, texts in beside)]
    cells += [[_short(_cell(seen, name, row)) for row in shown.tolist()] for name in names]
    return Exhibit(
        kind="rows",
        caption=caption,
        data={
            "header": header,
            "rows": [list(row) for row in zip(*cells, strict=True)],
            "marks": [[at, 1] for at in range(len(shown))],
        },
    )


def _cell(seen: Inspected, name: str, row: int) -> str:
    frame = seen.frames[0] if row < seen.frames[0].height else seen.frames[1]
    value = frame[name][row if row < seen.frames[0].height else row - seen.frames[0].height]
    return "" if value is None else str(value)


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
