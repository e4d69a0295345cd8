"""What a model is asked about in plain words: one text, several, or the lines of a file, as a table of one column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aurify.core.errors import AurifyError, listing
from aurify.data.archives import TABLES, content_of
from aurify.data.class_folders import IMAGE, LABEL
from aurify.data.encodings import encoding_of
from aurify.data.image_arrays import CHANNELS, frame_of_array, is_image, packed
from aurify.data.image_cells import SUFFIXES as IMAGES
from aurify.data.image_files import of_image
from aurify.data.labelled_lines import have_labels
from aurify.data.schema import Schema

LINES = (".txt", "")
"""Ends of the names of files that hold one text a line, where a model needs no more than that."""

FILES = (*TABLES, *IMAGES, ".txt", ".json", ".gz", ".zip", ".xlsx", ".xls")
"""What a name ends with that means a file, whether it is there or not."""

SHOWN = 40
"""Characters of a text that an error tells."""


def as_table(schema: Schema, data: Any) -> Any:
    """Texts (a str, a list, a Series, an array, a file of lines) as a column; whatever else is a table, as it came.

    A str is a file where one of that name is there or it ends as files do, else a text. Of a model of images several
    paths are images, and so is what Pillow or numpy hold in memory. Raises AurifyError where the model needs more than
    one column of texts or of images, which it names.
    """
    if schema.image is not None:
        return _as_images(schema, data)
    column = schema.texts[0].name if schema.texts and len(schema.learnt) == 1 else None
    if isinstance(data, str) and not named_file(data):
        return {_required(schema, column, data): [_sound(data)]} if schema.texts else data
    if isinstance(data, (str, Path)):
        path = Path(data)
        lines = column is not None and path.suffix.lower() in LINES and path.is_file()
        lines = lines and not (schema.target == LABEL and have_labels(content_of(path), schema.classes or ()))
        return _lines(path, column) if column is not None and lines else data
    texts = _several(data)
    if texts is None or not schema.texts:
        if texts is not None and all(text is None or named_file(text) for text in texts):
            raise AurifyError(f"{len(texts):,} files to predict: give one at a time, or a folder of them")
        return data
    return {_required(schema, column, texts[0]): [None if text is None else _sound(text) for text in texts]}


def _as_images(schema: Schema, data: Any) -> Any:
    """Images as a column of the model's name; whatever else is a table, as it came."""
    assert schema.image is not None
    many: Any = data
    if is_image(data) and (getattr(data, "ndim", 2) == 2 or data.shape[2] in CHANNELS):
        many = [data]
    elif isinstance(data, Path) or (isinstance(data, str) and named_file(data)):
        many = [data] if of_image(str(data)) and not Path(data).is_dir() else data
        if isinstance(many, list) and not Path(data).exists():
            raise AurifyError(f"no file at {data}")
    elif isinstance(data, str):
        raise AurifyError(f"no file at {data}; give an image, a folder of images, or a table with their paths")
    listed = _several(
        [str(each) if isinstance(each, Path) else each for each in many] if isinstance(many, list) else many
    )
    if listed is not None:
        return {_alone(schema): listed}
    if isinstance(many, list) and many and all(is_image(each) or isinstance(each, bytes) for each in many):
        return {_alone(schema): packed(many)}
    if isinstance(many, np.ndarray) and many.ndim in (3, 4):
        return frame_of_array(many).rename({IMAGE: _alone(schema)})
    return data


def _alone(schema: Schema) -> str:
    """The model's column of images, where it needs no other."""
    assert schema.image is not None
    if len(schema.learnt) == 1:
        return schema.image.name
    raise AurifyError(
        f"images alone are too little: the model needs the columns {listing([c.name for c in schema.learnt], 10)}; give"
        " a file, a data frame or a dict with them"
    )


def named_file(text: str) -> bool:
    """Whether a text is the name of a file: of one that is there, or one that ends as files do."""
    try:
        there = bool(text) and Path(text).exists()
    except (OSError, ValueError):  # longer than names may be, or with characters that none has
        return False
    return there or (text.lower().endswith(FILES) and re.search(r"\s", text) is None)


def _required(schema: Schema, column: str | None, text: str | None) -> str:
    if column is not None:
        return column
    short = (text or "")[:SHOWN] + ("..." if len(text or "") > SHOWN else "")
    raise AurifyError(
        f"{short!r} is no file, and a text alone is too little: the model needs the columns"
        f" {listing([c.name for c in schema.learnt], 10)}; give a file, a data frame or a dict with them"
    )


def _several(data: Any) -> list[str | None] | None:
    """Texts one after another, None for a missing one; None where ``data`` is none of that."""
    library = type(data).__module__.split(".")[0]
    if library == "polars" and hasattr(data, "to_list") and not hasattr(data, "columns"):
        data = data.to_list()
    elif (library == "pandas" and hasattr(data, "tolist") and not hasattr(data, "columns")) or (
        isinstance(data, np.ndarray) and data.ndim == 1 and data.dtype.kind in "OU"
    ):
        data = [value if isinstance(value, str) else None for value in data.tolist()]
    if not isinstance(data, (list, tuple)) or not any(isinstance(each, str) for each in data):
        return None
    return list(data) if all(each is None or isinstance(each, str) for each in data) else None


def _lines(path: Path, column: str) -> Any:
    """A file of lines as a column, a line of the column's name above them left out; one that holds a table as it is."""
    raw = content_of(path).whole()
    text = raw.decode(encoding_of(raw, None), errors="replace").lstrip("\ufeff")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not lines[-1]:
        lines = lines[:-1]
    if not any(line.strip() for line in lines):
        raise AurifyError(f"{path} is empty")
    names = [name.strip().strip('"') for name in re.split(r"[,;\t|]", lines[0])]
    quoted = any(line.startswith('"') for line in lines[1:])
    if (column in names and (len(names) > 1 or quoted)) or (lines[0].startswith("{") and f'"{column}"' in lines[0]):
        return path
    return {column: _all_sound(lines[1:] if names == [column] else lines)}


def _all_sound(texts: Sequence[str]) -> list[str]:
    return [_sound(text) for text in texts]


def _sound(text: str) -> str:
    """A text without halves of characters, which no file could hold either."""
    return text.encode("utf-8", errors="replace").decode()
