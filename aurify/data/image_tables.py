"""Tables with a column of images: where its paths begin, what its images are called, and which column it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aurify.core.words import said
from aurify.data.class_folders import FILE, IMAGE
from aurify.data.image_cells import of_images

if TYPE_CHECKING:
    import polars as pl

    from aurify.data.schema import Schema


def folder_of(data: Any) -> str | None:
    """The folder that paths in a table begin in: its own; None for a table in memory."""
    if not isinstance(data, (str, Path)):
        return None
    path = Path(data)
    return str(path if path.is_dir() else path.parent)


def names_of(schema: Schema, frame: pl.DataFrame) -> Callable[[int], str]:
    """What each row's image is called: its file or, where bytes alone are known, its row."""
    import polars as pl

    assert schema.image is not None
    values = frame[schema.image.name]
    if FILE in frame.columns and frame[FILE].dtype == pl.String:
        values = frame[FILE]
    elif isinstance(values.dtype, pl.Struct) and "path" in (field.name for field in values.dtype.fields):
        values = values.struct.field("path")

    def name(at: int) -> str:
        value = values[at] if values.dtype == pl.String else None
        return value if value else said("row {row:,}", row=at + 1)

    return name


def with_image_column(schema: Schema, frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """New rows whose one column of images is called as that of the model, and what was noticed.

    Folders of images have their own names for columns, which a table that a model learnt from need not share.
    """
    if schema.image is None or schema.image.name in frame.columns:
        return frame, []
    known = {column.name for column in schema.columns}
    found = [name for name in frame.columns if name not in known and of_images(frame[name])]
    found = [IMAGE] if IMAGE in found else found
    if len(found) != 1:
        return frame, []
    taken = said("column {column!r} is taken as {known!r}, the images", column=found[0], known=schema.image.name)
    return frame.rename({found[0]: schema.image.name}), [] if found[0] == IMAGE else [taken]


def ids_of(schema: Schema, frame: pl.DataFrame) -> dict[str, pl.Series]:
    """The columns that tell new rows apart: the ids that the model knows, files, and paths of images."""
    import polars as pl

    names = [name for name in schema.ids if name in frame.columns]
    if schema.image is not None:
        path = schema.image.name
        named = FILE in frame.columns and FILE not in schema.aims
        if named:
            names.append(FILE)
        elif path in frame.columns and frame[path].dtype == pl.String:
            names.append(path)
    return {name: frame[name] for name in dict.fromkeys(names)}
