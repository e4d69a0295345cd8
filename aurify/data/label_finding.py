"""Whether a target holds several labels a row, and how: decided once by looking at all of its cells."""

# n rows, K labels

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aurify.core.errors import AurifyError, listing
from aurify.core.words import said
from aurify.data.label_sets import LabelSets, as_lists, json_list, marks_of_columns, parted
from aurify.data.texts import known_texts

if TYPE_CHECKING:
    import polars as pl

KIND = "multi_label"
SEPARATORS = (";", "|", "；", "、", ",", "，")
"""What is looked for between the labels of a cell where nothing is said."""

MOST_LABELS = 1000
SHARE, RECOMBINED, AGAIN, LONGEST = 0.05, 1.5, 0.8, 40
"""Cells hold several labels where this share of rows has a separator, there are this many times as many different cells
as labels, this share of the labels is in more than one of them, and no label has more characters."""


@dataclass(frozen=True)
class Found:
    """A target of several labels: how they are said, the labels in their order, and what was noticed."""

    sets: LabelSets
    labels: tuple[str, ...]
    notes: tuple[str, ...]


def find_labels(
    frame: pl.DataFrame, names: tuple[str, ...], kind: str, separator: str | None, missing: Collection[str]
) -> Found | None:
    """Say how the rows hold labels; None where the target is one number or one class a row.

    ``names`` are the columns to predict, ``kind`` is as a task has it. Raises AurifyError for columns
    that are no yes and no, and where several labels are wanted and none are found.
    """
    name, several = next(iter(names)), len(names) > 1
    if separator is not None and (kind not in ("auto", KIND) or several):
        raise AurifyError("task.separator is for a target of one column whose cells hold several labels; leave it out")
    if separator == "":
        raise AurifyError("task.separator = '' is not allowed: at least one character")
    if several:
        if kind not in ("auto", KIND):
            raise AurifyError(f"several target columns are labels; task.kind = {kind} needs one column to predict")
        return _of_columns(frame, names, missing)
    values = frame[name]
    wanted = kind == KIND or separator is not None
    if kind not in ("auto", KIND) or (values.dtype.is_numeric() and not wanted):
        return None
    return _of_cells(name, values, separator, missing, wanted=wanted)


def _of_columns(frame: pl.DataFrame, names: tuple[str, ...], missing: Collection[str]) -> Found:
    marks = marks_of_columns(frame, names, missing, "the data")
    known = (marks >= 0).all(1)
    if not known.any():
        raise AurifyError(f"no row has a value in each of the target columns {listing(names)}")
    if (marks[known] == marks[known][0]).all():
        raise AurifyError(f"the target columns {listing(names)} never change; there is nothing to learn")
    notes: list[str] = []
    partly = int(((marks >= 0).any(1) & ~known).sum())
    if partly:
        notes.append(
            said("{rows:,} rows lack some of the labels' values: they count as rows without a target", rows=partly)
        )
    return Found(LabelSets(columns=names), names, tuple(notes))


def _of_cells(
    name: str, values: pl.Series, separator: str | None, missing: Collection[str], *, wanted: bool
) -> Found | None:
    nested = _nested(values)
    if nested and separator is not None:
        raise AurifyError(f"task.separator = {separator!r} does not apply: the cells of {name!r} are lists already")
    texts = None if nested else known_texts(values, missing)
    if texts is not None and texts.null_count() == texts.len():
        return None  # what is wrong with it is said of every target alike
    if texts is not None and separator is None and not _are_lists(texts):
        separator = _separator_of(texts, wanted=wanted)
        if separator is None and not wanted:
            return None
        if separator is None:
            raise AurifyError(
                f"the cells of {name!r} hold one label each as far as can be seen ({listing(texts.drop_nulls()[:3])});"
                " say what separates them with --set task.separator='; '"
            )
    sets = LabelSets(separator=separator or "")
    cells = as_lists(values, sets, missing)
    if separator is not None and not bool((cells.list.len() > 1).any()):
        raise AurifyError(f"no cell of {name!r} holds two labels parted by {separator!r}; leave task.separator out")
    labels = cells.explode().drop_nulls().unique().sort()
    rows = len(cells) - cells.null_count()
    if labels.len() < 2:
        only = f"only the label {labels[0]!r}" if labels.len() else "no label"
        raise AurifyError(f"target {name!r} holds {only}; two different labels are needed")
    if labels.len() > min(MOST_LABELS, max(20, 0.5 * rows)):
        raise AurifyError(f"target {name!r} has {labels.len():,} different labels in {rows:,} rows: too many to learn")
    return Found(sets, tuple(labels.to_list()), (_taken(name, cells, sets, labels.len()),))


def _taken(name: str, cells: pl.Series, sets: LabelSets, labels: int) -> str:
    how = said("separated by {separator!r}", separator=sets.separator) if sets.separator else said("as lists")
    return said(
        "each cell of {target!r} holds several of {labels:,} labels, {how} ({mean:.1f} a row);"
        " if each is one class, say --set task.kind=classify",
        target=name,
        labels=labels,
        how=how,
        mean=float(cells.list.len().drop_nulls().mean() or 0.0),  # pyright: ignore[reportArgumentType]
    )


def _separator_of(texts: pl.Series, *, wanted: bool) -> str | None:
    """What parts labels in cells (n,): what most hold where several are ``wanted``, else only what surely does."""
    rows = texts.len() - texts.null_count()
    shares = {s: int(texts.str.contains(s, literal=True).sum()) / max(1, rows) for s in SEPARATORS}
    for separator in sorted(SEPARATORS, key=lambda s: -shares[s]):
        if shares[separator] and (wanted or (shares[separator] >= SHARE and _recombined(texts, separator))):
            return separator
    return None


def _recombined(texts: pl.Series, separator: str) -> bool:
    """Whether parts of cells come in many combinations of different sizes: labels, not names with commas in them."""
    import polars as pl

    cells = parted(texts.unique().drop_nulls(), separator)
    sizes, pieces = cells.list.len(), cells.explode().drop_nulls()
    labels = pieces.value_counts().rename({pieces.name or "": "label"})
    if labels.height < 2 or sizes.min() == sizes.max() or cells.len() < RECOMBINED * labels.height:
        return False
    again = float((labels["count"] > 1).mean())  # pyright: ignore[reportArgumentType]
    longest = labels["label"].str.len_chars().max()
    worded = labels.select(pl.col("label").str.contains(r"\p{L}").any()).item()
    return again >= AGAIN and isinstance(longest, int) and longest <= LONGEST and worded


def _nested(values: pl.Series) -> bool:
    """Whether cells are lists as they are held in memory."""
    import polars as pl

    if values.dtype == pl.Object:
        return any(isinstance(cell, (list, tuple, set)) for cell in values.to_list())
    return isinstance(values.dtype, (pl.List, pl.Array))


def _are_lists(texts: pl.Series) -> bool:
    """Whether every cell is a list as JSON writes it."""
    present = texts.drop_nulls().unique()
    if not bool((present.str.starts_with("[") & present.str.ends_with("]")).all()):
        return False
    return all(json_list(text) is not None for text in present.to_list())
