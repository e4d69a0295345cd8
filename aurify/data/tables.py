"""A table read whole: typed columns, targets and what is said about rows, of one source and perhaps a test file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aurify.core.errors import AurifyError, listing
from aurify.core.recipe import Source
from aurify.core.words import said
from aurify.data.asking import as_table
from aurify.data.class_folders import FILE, LABEL
from aurify.data.class_folders import IMAGE as IMAGE_COLUMN
from aurify.data.class_folders import TEXT as TEXT_COLUMN
from aurify.data.columns import IMAGE, LEFT_OUT, NUMBER, TEXT
from aurify.data.image_copies import image_families
from aurify.data.image_form import IMAGES
from aurify.data.image_rows import are_images
from aurify.data.image_tables import folder_of, ids_of, names_of, with_image_column
from aurify.data.label_sets import named_columns
from aurify.data.labels import match_labels
from aurify.data.loaded import Loaded, Reading
from aurify.data.noticed import THE_DATA, unread_images
from aurify.data.packed import Packed, stacked
from aurify.data.parsed import Parsed
from aurify.data.roles import split_column, split_role, weight_role
from aurify.data.room import one_after_another
from aurify.data.row_sample import EVERY, numbered
from aurify.data.schema import Schema
from aurify.data.sources import read_frame
from aurify.data.store import COPIES, Asked, Read, Store, has_value
from aurify.data.wanted import wanted_types

if TYPE_CHECKING:
    import polars as pl

MOST_ROWS = 1_000_000
"""Rows of each file that are read by who only looks at the data."""

GROUPS = said("it groups the rows")


@dataclass(frozen=True, eq=False)
class _Typed:
    """One file's rows, typed."""

    name: str
    frame: pl.DataFrame
    parsed: Parsed
    target: np.ndarray


def read_table(
    source: Source,
    data: Any,
    kind: str,
    by: str,
    *,
    labelled: bool = True,
    beyond: Collection[str] = (),
    separator: str | None = None,
) -> Read:
    """Read ``data`` (a path or a frame), and the test file that the source names, into a Store; and say what was seen.

    ``kind`` is ``classify``, ``regress``, ``multi_label`` or ``auto``, ``by`` the recipe's split; columns of
    kinds that are in ``beyond`` (texts, images) are learnt from too, ``separator`` parts the labels of a target's
    cells. Without ``labelled`` the data is only looked at: there may be no target, in both or in the test file, and of
    each at most ``MOST_ROWS`` rows are read. Raises AurifyError for what is no table, for columns that do not exist and
    for targets that cannot be learnt.
    """
    reading = Reading.of(source, EVERY if labelled else MOST_ROWS)
    as_written = (*(name for name, wanted in wanted_types(source.types).items() if wanted != NUMBER), *source.text)
    loaded = read_frame(data, reading, texts=as_written)
    source = _with_own_columns(source, loaded)
    if source.target is None and labelled:
        if loaded.texts and IMAGE_COLUMN in loaded.frame.columns:
            raise AurifyError(
                f"{data} holds images without classes: put those of each class into a folder of its own, or give a"
                " table with a column of paths and one of labels"
            )
        raise AurifyError(
            f"which column is to be predicted? say so with --target; there are {listing(loaded.frame.columns, 30)}"
        )
    folder = folder_of(data)
    schema = _infer(loaded.frame, source, kind, by, beyond=beyond, separator=separator, folder=folder)
    parsed = schema.parse(loaded.frame, folder=folder)
    unread = _unread(schema, loaded.frame, parsed, str(data) if folder is not None else THE_DATA)
    notes = [*loaded.notes, *schema.notes, *parsed.notes, *unread]
    drawn, folders = [loaded.drawn], [folder]
    tables = [_Typed(THE_DATA, loaded.frame, parsed, _known(schema, schema.parse_target(loaded.frame), parsed))]
    beside, name = Loaded(loaded.test) if loaded.test is not None else None, said("the test part")
    if source.test is not None:
        name = source.test
        beside = read_frame(
            Path(name), reading, texts=schema.as_written, names=schema.names, labels=schema.classes
        ).whole()
    if beside is not None:
        folder = folder if source.test is None else folder_of(name)
        # the check label_spelling says the rest
        more, _ = _typed(schema, beside.frame, name, labelled=labelled, folder=folder)
        tables.append(more)
        drawn.append(beside.drawn)
        folders.append(folder)
        notes += [*beside.notes, *more.parsed.notes, *_unread(schema, more.frame, more.parsed, name)]
    inputs = {k: _joined([t.parsed.inputs[k] for t in tables]) for k in parsed.inputs}
    targets = _joined([t.target for t in tables])
    test = np.arange(len(targets)) >= loaded.frame.height
    roles, noticed = _roles(schema, tables, by)
    if schema.image is not None:
        roles[COPIES] = image_families(inputs[IMAGES])
    store = Store.of(schema, inputs, targets, test, roles)
    begins = np.cumsum([0, *(table.frame.height for table in tables)])
    missed = {int(b) + at: why for b, t in zip(begins, tables, strict=False) for at, why in t.parsed.unread.items()}
    frames = tuple(piece.frame for piece in drawn)
    return Read(store, (*notes, *noticed), frames, numbered(drawn), tuple(folders), missed)


def ask_table(schema: Schema, data: Any, source: Source, *, labelled: bool, by: str) -> Asked:
    """Read new rows as the schema says: to predict them or, ``labelled``, to measure on those that have a target.

    Rows to predict may be texts alone where the schema learns from one column of them, see ``as_table``.
    Raises AurifyError for columns that are missing, and where no row has a target to measure by.
    """
    data = data if labelled else as_table(schema, data)
    name = str(data) if isinstance(data, (str, Path)) else THE_DATA
    reading = Reading.of(source)
    loaded = read_frame(data, reading, texts=schema.as_written, names=schema.names, labels=schema.classes)
    loaded = loaded.tested() if labelled else loaded.whole()
    frame, renamed = with_image_column(schema, loaded.frame)
    folder = folder_of(data)
    if not labelled:
        parsed = schema.parse(frame, name, folder)
        unread = _unread(schema, frame, parsed, name, asked=True)
        rows = np.setdiff1d(np.arange(frame.height), list(parsed.unread))
        notes = (*loaded.notes, *renamed, *parsed.notes, *unread)
        return Asked(parsed.inputs, np.empty(0), rows, ids=ids_of(schema, frame), notes=notes, count=frame.height)
    typed, notes = _typed(schema, frame, name, labelled=True, folder=folder)
    notes = [*renamed, *notes, *_unread(schema, frame, typed.parsed, name)]
    known = has_value(typed.target)
    if not known.any():
        raise AurifyError(f"no row of {name} has a value in the target column {schema.target!r}")
    if not known.all():
        unknown = int((~known).sum()) - len(typed.parsed.unread)
        if unknown:
            notes.append(said("{rows:,} rows of {name} have no target and are left out", rows=unknown, name=name))
    if split_column(by) not in (None, *frame.columns):
        notes.append(
            said(
                "{name} lacks column {column!r}: the intervals take its rows as independent",
                name=name,
                column=split_column(by),
            )
        )
        by = "random"
    roles, noticed = _roles(schema, [typed], by)
    rows = np.flatnonzero(known & (roles["weight"] > 0) if "weight" in roles else known)
    notes = [*loaded.notes, *typed.parsed.notes, *notes, *noticed]
    return Asked(typed.parsed.inputs, typed.target, rows, roles, notes=tuple(notes))


def _with_own_columns(source: Source, loaded: Loaded) -> Source:
    """The source with what its columns are for, where they are those of texts in folders or lines."""
    if not loaded.texts:
        return source
    told = {name for name, _ in (each.rpartition("=")[::2] for each in source.types)} | {*source.drop, *source.text}
    files = [f"{FILE}=id"] if FILE in loaded.frame.columns and FILE not in told else []
    labelled = LABEL in loaded.frame.columns and LABEL not in told
    images = IMAGE_COLUMN in loaded.frame.columns
    return replace(
        source,
        target=source.target or (LABEL if labelled else None),
        text=source.text if TEXT_COLUMN in {*told, source.target} or images else (*source.text, TEXT_COLUMN),
        image=source.image or (IMAGE_COLUMN if images else None),
        types=(*source.types, *files),
    )


def _infer(
    frame: pl.DataFrame,
    source: Source,
    kind: str,
    by: str,
    *,
    beyond: Collection[str],
    separator: str | None,
    folder: str | None,
) -> Schema:
    """The schema of the data; a column that groups the rows is not learnt from, for it would tell new rows nothing."""
    column = split_column(by)
    aims = () if source.target is None else named_columns(source.target, frame.columns)
    if column is not None and column in aims:
        raise AurifyError(f"column {column!r} is the target and cannot split the rows; name another with --split")
    grouping = [column] if column is not None and by.startswith("group:") and column in frame.columns else []
    schema = Schema.infer(
        frame,
        source.target,
        (*source.drop, *grouping),
        kind,
        types=(
            *source.types,
            *(f"{name}={TEXT}" for name in source.text),
            *([] if source.image is None else [f"{source.image}={IMAGE}"]),
        ),
        missing=source.missing,
        positive=source.positive,
        weight=source.weight,
        beyond=beyond,
        separator=separator,
        size=source.size,
        aspect=source.aspect,
        folder=folder,
    )
    columns = (replace(c, reason=GROUPS) if c.name in grouping else c for c in schema.columns)
    return replace(schema, columns=tuple(columns)) if grouping else schema


def say_left_out(schema: Schema) -> list[str]:
    """A line for each column that is not learnt from, with the reason."""
    left = (c for c in schema.columns if c.kind == LEFT_OUT)
    return [said("column {column!r} is left out: {reason}", column=c.name, reason=c.reason) for c in left]


def _typed(
    schema: Schema, frame: pl.DataFrame, name: str, *, labelled: bool, folder: str | None
) -> tuple[_Typed, list[str]]:
    """Rows that the schema was not inferred from, whose labels may be spelt otherwise; and how they were taken."""
    parsed = schema.parse(frame, name, folder)
    notes: list[str] = []
    if schema.classes is not None and schema.labels is None and schema.target in frame.columns:
        labels, how = match_labels(frame[schema.target], schema.classes)
        frame = frame.with_columns(labels.alias(schema.target))
        notes = [said("target {target!r} in {name}: {how}", target=schema.target, name=name, how=how)] if how else []
    if not labelled and not set(schema.aims) <= set(frame.columns):
        return _Typed(name, frame, parsed, schema.unknown_targets(frame.height)), notes
    return _Typed(name, frame, parsed, _known(schema, schema.parse_target(frame, name), parsed)), notes


def _known(schema: Schema, target: np.ndarray, parsed: Parsed) -> np.ndarray:
    """Targets, missing where there is no image to learn from or to measure by."""
    unread = list(parsed.unread)
    if unread:
        target = target.copy()
        target[unread] = schema.unknown_targets(len(unread))
    return target


def _unread(schema: Schema, frame: pl.DataFrame, parsed: Parsed, name: str, *, asked: bool = False) -> list[str]:
    """What is said of images that could not be read. Raises AurifyError where none could."""
    if not parsed.unread:
        return []
    return [*unread_images(name, parsed.unread, names_of(schema, frame), frame.height, asked=asked)]


def _joined(pieces: list[Any]) -> Any:
    """One after another; one alone is not copied."""
    if len(pieces) == 1:
        return pieces[0]
    if are_images(pieces[0]):
        return one_after_another(pieces)
    return stacked(pieces) if isinstance(pieces[0], Packed) else np.concatenate(pieces)


def _roles(schema: Schema, tables: Sequence[_Typed], by: str) -> tuple[dict[str, np.ndarray], list[str]]:
    """What the split and the weights say about rows, and what was noticed."""
    frames, names = [t.frame for t in tables], [t.name for t in tables]
    (split, noticed), (weight, more) = split_role(by, frames, names), weight_role(schema, frames, names)
    return {**split, **weight}, [*noticed, *more]
