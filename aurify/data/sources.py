"""Read a source of rows into a polars frame: a CSV file or a data frame that is already in memory."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aurify.core.errors import AurifyError, listing

if TYPE_CHECKING:
    import polars as pl

MISSING_MARKS = ("", "?", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL")
SEPARATORS = (",", ";", "\t", "|")


def read_frame(source: Any, *, texts: tuple[str, ...] = ()) -> pl.DataFrame:
    """Return the rows of a CSV path, a pandas or polars data frame, or a mapping of columns.

    ``texts`` are columns whose values must come as they are written, whatever they look like. Raises AurifyError
    for a file that is absent, empty or not a table.
    """
    import polars as pl

    if isinstance(source, (str, Path)):
        return _read_csv(Path(source), texts)
    if isinstance(source, pl.LazyFrame):
        frame = source.collect()
    elif isinstance(source, pl.DataFrame):
        frame = source
    elif type(source).__module__.split(".")[0] == "pandas" and hasattr(source, "columns"):
        frame = _from_pandas(source)
    elif isinstance(source, dict):
        try:
            frame = pl.DataFrame(source, strict=False)
        except (pl.exceptions.PolarsError, TypeError) as error:
            raise AurifyError(f"the dict is not a table: {_first_line(error)}") from None
    else:
        raise AurifyError(
            f"a {type(source).__name__} is not a table; give a CSV path, a pandas or polars data frame or a dict"
        )
    return _checked(frame, "the data frame")


def _from_pandas(frame: Any) -> pl.DataFrame:
    """Convert column by column, so that neither pyarrow nor one odd column stands in the way."""
    import polars as pl

    twice = [c for c in dict.fromkeys(map(str, frame.columns)) if list(map(str, frame.columns)).count(c) > 1]
    if twice:
        raise AurifyError(f"the data frame has two columns named {twice[0]!r}; rename one")
    columns: dict[str, pl.Series] = {}
    for name in frame.columns:
        values = frame[name]
        kind = getattr(values.dtype, "kind", "O")
        if kind in "iufb" and type(values.dtype).__module__.startswith("numpy"):
            columns[str(name)] = pl.Series(values.to_numpy(), nan_to_null=True)
            continue
        absent = values.isna().to_numpy()
        plain = [None if gone else v for v, gone in zip(values.tolist(), absent, strict=True)]
        columns[str(name)] = pl.Series(plain, strict=False)
    return pl.DataFrame(columns)


def _read_csv(path: Path, texts: tuple[str, ...]) -> pl.DataFrame:
    import polars as pl
    from polars.exceptions import PolarsError

    head = _read_head(path)
    unquoted = re.sub(r'"[^"]*"', "", head)
    separator = max(SEPARATORS, key=unquoted.count)
    names = _header(path, head, separator)
    twice = [n for n in dict.fromkeys(names) if names.count(n) > 1]
    if twice:
        raise AurifyError(f"{path} has two columns named {twice[0]!r}; rename one in its first line")
    try:
        frame = pl.read_csv(
            path,
            separator=separator,
            infer_schema_length=None,
            null_values=list(MISSING_MARKS),
            schema_overrides={n: pl.String for n in texts if n in names},
            raise_if_empty=False,
            glob=False,
        )
    except PolarsError as error:
        raise AurifyError(f"{path} cannot be read as CSV: {_explained(error)}") from None
    return _checked(frame, str(path))


def _read_head(path: Path) -> str:
    """The first line, with the plain refusals that need only it."""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise AurifyError(f"{path} is a pipe or a device; write the data to a file first")
        with path.open("rb") as file:
            raw = file.readline(2**20)
    except FileNotFoundError:
        near = [p.name for p in path.parent.glob("*.csv")] if path.parent.is_dir() else []
        beside = f"; beside it are {listing(sorted(near))}" if near else ""
        raise AurifyError(f"no file at {path}{beside}") from None
    except IsADirectoryError:
        raise AurifyError(f"{path} is a folder; give one CSV file") from None
    except OSError as error:
        raise AurifyError(f"{path} cannot be read: {error.strerror}") from None
    if not raw.strip():
        raise AurifyError(f"{path} is empty" if not raw else f"{path} begins with a blank line; a header is needed")
    if b"\0" in raw:
        raise AurifyError(f"{path} is not a text file: its first line holds NUL bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AurifyError(f"{path} is not UTF-8 (byte {error.start} of its first line); save it as UTF-8") from None


def _header(path: Path, line: str, separator: str) -> list[str]:
    import csv

    try:
        return [name.strip() for name in next(csv.reader([line.rstrip("\r\n")], delimiter=separator))]
    except csv.Error as error:
        raise AurifyError(f"{path} cannot be read as CSV: its header is {error}") from None


def _checked(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    if frame.width == 0 or frame.height == 0:
        raise AurifyError(f"{name} has {frame.width} columns and no rows; give a table with rows")
    names = [c.strip() for c in frame.columns]
    twice = [n for n in dict.fromkeys(names) if names.count(n) > 1]
    if twice:
        raise AurifyError(f"{name} has two columns named {twice[0]!r}; rename one")
    return frame.rename(dict(zip(frame.columns, names, strict=True)))


def _explained(error: Exception) -> str:
    """polars' reason, with the fix where it is known."""
    reason = _first_line(error)
    if "more fields" in reason:
        return "a line has more cells than the header; put cells that hold the separator in quotes"
    if "utf-8" in reason.lower():
        return "it is not UTF-8 throughout; save it as UTF-8"
    return reason


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
