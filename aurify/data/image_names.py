"""What images are called: the files that they came from, so that people find them again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aurify.core.errors import AurifyError
from aurify.core.files import write_with
from aurify.data.class_folders import FILE
from aurify.data.schema import Schema

if TYPE_CHECKING:
    import polars as pl

NAME = "file"


def image_names(schema: Schema, frames: Sequence[Any]) -> pl.Series | None:
    """The file of each row (N,), below the folder that all share; None of images that came from no files.

    ``frames`` are those of a ``data.store.Read``.
    """
    import polars as pl

    if schema.image is None or not frames:
        return None
    column = next((c for c in (FILE, schema.image.name) if all(_named(frame, c) for frame in frames)), None)
    if column is None:
        return None
    names = pl.concat([frame[column] for frame in frames]).alias(NAME)
    shared = _shared([name for name in names.drop_nulls().to_list() if name])
    return names.str.strip_prefix(shared) if shared else names


def write_names(path: Path, names: pl.Series) -> None:
    """Write names (N,), atomically."""
    write_with(path, lambda file: names.to_frame().write_parquet(file))


def read_names(path: Path) -> list[str | None] | None:
    """What ``write_names`` wrote, None where there is nothing; raises AurifyError when it is damaged."""
    import polars as pl

    if not path.exists():
        return None
    try:
        names = pl.read_parquet(path, glob=False)[NAME]
        return [None if name is None else str(name) for name in names.to_list()]
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = (str(error).splitlines() or [""])[0]
        raise AurifyError(f"{path} is damaged ({reason}); delete it: rows are then told by number") from None


def _named(frame: Any, column: str) -> bool:
    import polars as pl

    return column in frame.columns and frame[column].dtype == pl.String


def _shared(names: Sequence[str]) -> str:
    """What all names begin with, up to a slash."""
    pairs = zip(min(names), max(names), strict=False) if names else ()  # what lies between begins as both do
    together = "".join(one for one, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return together[: together.rfind("/") + 1]
