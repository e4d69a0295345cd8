"""Rows beside one another: their cells as numbers to compare, and as they were written for whoever looks at them."""

# n rows

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from aurify.data.columns import LEFT_OUT
from aurify.data.findings import Exhibit
from aurify.data.image_form import IMAGES
from aurify.data.packed import Packed
from aurify.data.store import blanked
from aurify.inspection.chance import Repeats, beyond_chance, repeats_of
from aurify.inspection.image_exhibits import images_exhibit
from aurify.inspection.inspected import Inspected
from aurify.inspection.seen_images import images_seen

if TYPE_CHECKING:
    import polars as pl

MOST_SHOWN = 3
"""Groups of alike rows that are shown, and rows of each."""

MOSTLY_DIFFERENT = 0.5
"""Share of different values that makes a left-out column one of ids, or of texts that are as telling."""

TELLING = 20
"""Characters of a text that make a second one a copy of it."""

MOST_COLUMNS = 8
LONGEST = 40


def inputs_of(seen: Inspected, rows: np.ndarray) -> list[np.ndarray]:
    """Typed inputs of rows by id, tables (n, c) of a column or more; columns that are excluded are missing in them.

    Of a column of texts a hash of each, of images which is the first one equal to it.
    """
    inputs = {k: v[rows] for k, v in seen.store.inputs.items() if k != IMAGES}
    inputs = dict(blanked(inputs, seen.schema, seen.hidden))
    if seen.images:
        inputs[IMAGES] = seen.once(images_seen).first[rows][:, None]
    tables = [inputs[kind] for kind in sorted(inputs) if inputs[kind].shape[1]]
    return [table.keys if isinstance(table, Packed) else table for table in tables]


def telling(seen: Inspected, rows: np.ndarray) -> np.ndarray | None:
    """Which rows (n,) by id hold an image, or texts that nobody writes twice; None where no column is of either."""
    if seen.images:
        return np.ones(len(rows), dtype=bool)
    if not any(column.name not in seen.hidden for column in seen.schema.texts):
        return None
    texts = blanked({"texts": seen.store.inputs["texts"][rows]}, seen.schema, seen.hidden)["texts"]
    return texts.lengths.sum(1) >= TELLING


def repeats_among(seen: Inspected, tables: list[np.ndarray], repeated: np.ndarray, judged: np.ndarray) -> Repeats:
    """Rows of ``tables`` (n, c), of which those at ``repeated`` are there before, against what chance gives.

    With columns of texts only short ones repeat by chance; else chance is judged by the rows at ``judged``.
    """
    long = telling(seen, seen.rows)
    if long is None:
        return repeats_of([table[judged] for table in tables], ids_of(seen, seen.rows[judged]), len(repeated))
    by_chance = float((~long[repeated]).sum())
    return Repeats(len(repeated), by_chance, beyond_chance(len(repeated), by_chance))


def ids_of(seen: Inspected, rows: np.ndarray) -> np.ndarray:
    """Columns (n, c) int64 that are left out since most rows have another value, such as ids: hashes of what they hold.

    Rows of a test file that lacks such a column, and missing values, are equal in it.
    """
    import polars as pl

    found = []
    for column in seen.columns:
        frames = [frame[column.name] if column.name in frame.columns else None for frame in seen.frames]
        own = frames[0]
        if column.kind != LEFT_OUT or own is None or own.dtype.is_nested() or own.dtype in (pl.Object, pl.Binary):
            continue
        if own.n_unique() > MOSTLY_DIFFERENT * own.len():
            heights = [frame.height for frame in seen.frames]
            whole = [_hashed(each, height) for each, height in zip(frames, heights, strict=True)]
            found.append(np.concatenate(whole)[rows])
    return np.stack(found, axis=1) if found else np.empty((len(rows), 0), dtype=np.int64)


def _hashed(values: pl.Series | None, height: int) -> np.ndarray:
    if values is None:
        return np.zeros(height, dtype=np.int64)
    return values.hash(0).set(values.is_null(), 0).to_numpy().view(np.int64)


def groups_of(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which group of equal keys each row (n,) is in, and how many rows each group has."""
    which, sizes = np.unique(keys, return_inverse=True, return_counts=True)[1:]
    return which, sizes


def side_by_side(seen: Inspected, groups: Sequence[Sequence[int]], caption: str) -> Exhibit:
    """Rows by id as they were written, group after group; cells that differ within a group are marked.

    Of many columns those that differ come first.
    """
    if seen.images:
        return images_exhibit(seen, caption, [group[:MOST_SHOWN] for group in groups])
    target = [] if seen.schema.target is None else [seen.schema.target]
    names = [column.name for column in seen.columns if column.kind != LEFT_OUT] + target
    shown = [list(group[:MOST_SHOWN]) for group in groups[:MOST_SHOWN]]
    written = [[[_cell(seen, row, name) for name in names] for row in group] for group in shown]
    differ = [[len({row[at] for row in group}) > 1 for at in range(len(names))] for group in written]
    others = len(names) - len(target)
    first = sorted(range(others), key=lambda at: not any(group[at] for group in differ))
    chosen = [*sorted(first[: MOST_COLUMNS - 1]), *range(others, len(names))]
    rows, marks = [], []
    for ids, group, differs in zip(shown, written, differ, strict=True):
        for row, cells in zip(ids, group, strict=True):
            marks += [[len(rows), place] for place, at in enumerate(chosen, start=1) if differs[at]]
            rows.append([str(row), *(cells[at] for at in chosen)])
    data = {"header": ["#", *(names[at] for at in chosen)], "rows": rows, "marks": marks}
    return Exhibit(kind="rows", caption=caption, data=data)


def _cell(seen: Inspected, row: int, name: str) -> str:
    """A cell as it was written; of a row of the test part its target stays unseen."""
    frame, at = (seen.frames[0], row) if row < seen.frame.height else (seen.frames[-1], row - seen.frame.height)
    if name not in frame.columns or (name == seen.schema.target and row in seen.test):
        return ""
    value = frame[name][at]
    text = "" if value is None else str(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
