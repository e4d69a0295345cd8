"""Targets of several labels a row: a column of yes and no for each label, or one column whose cells hold several."""

# n rows, K labels

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aurify.core.errors import AurifyError, listing, suggest
from aurify.data.texts import TRUTHS, as_texts, known_texts

if TYPE_CHECKING:
    import polars as pl

YES = {yes: no for no, yes in (*TRUTHS, ("\u5426", "\u662f"))}
"""Words that a label's column holds, in lower case, beside 0 and 1."""


@dataclass(frozen=True)
class LabelSets:
    """How a row says which labels it holds.

    ``columns`` are the columns of yes and no, one a label; empty where one column holds all. ``separator`` parts the
    labels of a cell, "" where cells are lists.
    """

    columns: tuple[str, ...] = ()
    separator: str = ""

    def to_plain(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> LabelSets:
        return cls(tuple(map(str, plain["columns"])), str(plain["separator"]))


def named_columns(target: str, columns: Collection[str]) -> tuple[str, ...]:
    """The columns that ``target`` names: itself or, parted by commas or as a JSON list, several.

    Raises AurifyError for one that is not in the data, and one that is named twice.

    >>> named_columns("a, b", ["a", "b", "c"]), named_columns("a,b", ["a,b", "c"])
    (('a', 'b'), ('a,b',))
    """
    if target in columns:
        return (target,)
    listed = json_list(target)
    names = listed if listed is not None else [name.strip() for name in target.split(",")]
    if len(names) < 2:
        names = [target] if listed is None else listed
    for at, name in enumerate(names):
        if name not in columns:
            raise AurifyError(f"column {name!r} is not in the data{suggest(name, columns)}")
        if name in names[:at]:
            raise AurifyError(f"column {name!r} is named twice as a target; name it once")
    return tuple(names)


def joined_names(names: Sequence[str]) -> str:
    """Several columns as one word, which ``named_columns`` takes apart again.

    >>> joined_names(["a", "b"]), joined_names(["a,b", "c"])
    ('a,b', '["a,b", "c"]')
    """
    plain = not any("," in name or name != name.strip() or name.startswith("[") for name in names)
    return ",".join(names) if plain else json.dumps(list(names), ensure_ascii=False)


def as_lists(values: pl.Series, sets: LabelSets, missing: Collection[str]) -> pl.Series:
    """Cells (n,) as lists of different labels, null where missing; blanks around labels and empty ones are no part."""
    import polars as pl

    if sets.separator:
        return parted(known_texts(values, missing), sets.separator)
    if not isinstance(values.dtype, (pl.List, pl.Array)):
        texts = values if values.dtype == pl.Object else known_texts(values, missing)
        values = pl.Series([_as_list(cell) for cell in texts.to_list()], dtype=pl.List(pl.String))
    rows = pl.DataFrame({"row": np.arange(values.len()), "label": values.alias("label")})
    pieces = rows.explode("label")
    pieces = pieces.with_columns(as_texts(pieces["label"]).alias("label"))
    pieces = pieces.filter(pl.col("label").is_not_null() & ~pl.col("label").is_in(["", *missing]))
    held = pieces.group_by("row").agg(pl.col("label").unique(maintain_order=True))
    lists = rows.select("row").join(held, on="row", how="left", maintain_order="left")["label"]
    lists = lists.fill_null(pl.Series([[]], dtype=pl.List(pl.String)))
    return pl.select(pl.when(values.is_not_null()).then(lists)).to_series()


def parted(texts: pl.Series, separator: str) -> pl.Series:
    import polars as pl

    pieces = texts.str.split(separator).list.eval(pl.element().str.strip_chars())
    return pieces.list.eval(pl.element().filter(pl.element() != "")).list.unique(maintain_order=True)


def _as_list(cell: Any) -> list[str] | None:
    if cell is None:
        return None
    return json_list(cell) if isinstance(cell, str) else [str(each) for each in cell if each is not None]


def json_list(text: str) -> list[str] | None:
    """The texts and numbers of a JSON list; None where it is none."""
    try:
        found = json.loads(text) if text.startswith("[") else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, list) or any(isinstance(each, (list, dict)) for each in found):
        return None
    return [str(each) for each in found if each is not None]


def read_labels(
    frame: pl.DataFrame, target: str, sets: LabelSets, labels: tuple[str, ...], missing: Collection[str], name: str
) -> np.ndarray:
    """Which labels each row holds (n, K) int8: 1, 0 or, in all of a row without a target, -1.

    Raises AurifyError for labels that are not among ``labels`` and for columns that hold no yes and no.
    """
    if sets.columns:
        marks = marks_of_columns(frame, sets.columns, missing, name)
        marks[(marks < 0).any(1)] = -1
        return marks
    import polars as pl

    cells = as_lists(frame[target], sets, missing)
    pieces = pl.DataFrame({"row": np.arange(cells.len()), "label": cells.alias("label")}).explode("label").drop_nulls()
    unknown = pieces.filter(~pl.col("label").is_in(list(labels)))["label"].unique(maintain_order=True)
    if unknown.len():
        raise AurifyError(
            f"target {target!r} in {name} has labels the model does not know: {listing(unknown.to_list(), 3)};"
            f" known: {listing(labels)}"
        )
    marks = np.zeros((frame.height, len(labels)), dtype=np.int8)
    codes = pieces["label"].replace_strict(list(labels), range(len(labels)), return_dtype=pl.Int64)
    marks[pieces["row"].to_numpy(), codes.to_numpy()] = 1
    marks[cells.is_null().to_numpy()] = -1
    return marks


def marks_of_columns(frame: pl.DataFrame, columns: tuple[str, ...], missing: Collection[str], name: str) -> np.ndarray:
    """What columns of yes and no hold (n, K) int8, -1 where a cell is missing."""
    import polars as pl

    marks = np.empty((frame.height, len(columns)), dtype=np.int8)
    for at, column in enumerate(columns):
        if column not in frame.columns:
            raise AurifyError(f"{name} lacks the target column {column!r}{suggest(column, frame.columns)}")
        texts = known_texts(frame[column], missing).str.to_lowercase()
        distinct = texts.unique().drop_nulls()
        means = {text: _truth(text) for text in distinct.to_list()}
        odd = [text for text, truth in means.items() if truth is None]
        if odd:
            raise AurifyError(
                f"target column {column!r} in {name} holds {listing(odd, 3)};"
                " a label's column holds 0 and 1, or yes and no"
            )
        codes = texts.replace_strict(list(means), [int(bool(t)) for t in means.values()], return_dtype=pl.Int8)
        marks[:, at] = codes.fill_null(-1).to_numpy()
    return marks


def _truth(text: str) -> bool | None:
    """Whether a word, in lower case, says yes; None where it says neither."""
    if text in YES or text in YES.values():
        return text in YES
    try:
        return {0.0: False, 1.0: True}.get(float(text))
    except ValueError:
        return None


def joined(marks: np.ndarray, labels: tuple[str, ...], sets: LabelSets) -> list[str]:
    """Which labels each row (n, K) holds, written as the cells of one column are."""
    held = ([labels[at] for at in np.flatnonzero(row)] for row in marks)
    if sets.separator:
        return [sets.separator.join(row) for row in held]
    return [json.dumps(row, ensure_ascii=False) for row in held]
