"""Tables that are in memory already: pandas, polars, Arrow, numpy, dicts and lists of rows, as polars frames."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aurify.core.errors import AurifyError
from aurify.data.class_folders import IMAGE
from aurify.data.image_arrays import frame_of_array, is_image, packed

if TYPE_CHECKING:
    import polars as pl


def frame_of(source: Any) -> pl.DataFrame:
    """Convert without a need for pandas or pyarrow. Raises AurifyError for what is no table."""
    import polars as pl
    from polars.exceptions import PolarsError

    library = type(source).__module__.split(".")[0]
    try:
        if isinstance(source, pl.DataFrame):
            objects = [name for name, kind in source.schema.items() if kind == pl.Object]
            return source.with_columns(pl.Series(n, _column(source[n].to_list()), strict=False) for n in objects)
        if isinstance(source, pl.LazyFrame):
            return source.collect()
        if library == "pandas" and hasattr(source, "columns"):
            return _from_pandas(source)
        if library == "pyarrow" and hasattr(source, "column_names"):
            return pl.DataFrame(source)
        if library == "torch" and hasattr(source, "detach"):
            source = source.detach().cpu().numpy()
        if isinstance(source, np.ndarray) and (source.ndim == 2 or source.dtype.names):
            return _from_numpy(source)
        if isinstance(source, np.ndarray) and source.ndim in (3, 4):
            return frame_of_array(source)
        if isinstance(source, list) and any(map(is_image, source)):
            return pl.DataFrame({IMAGE: pl.Series(IMAGE, packed(source), dtype=pl.Binary)})
        if isinstance(source, dict):
            return pl.DataFrame({name: _column(values) for name, values in source.items()}, strict=False)
        if isinstance(source, list) and all(isinstance(row, dict) for row in source):
            names = [name for row in source for name, value in row.items() if is_image(value)]
            rows = [{**row, **{n: _packed_cell(row.get(n)) for n in set(names)}} for row in source] if names else source
            return pl.DataFrame(rows, infer_schema_length=None, strict=False)
        if isinstance(source, list) and all(isinstance(row, (list, tuple)) for row in source):
            return _from_rows(source)
    except (PolarsError, TypeError, ValueError, OverflowError, OSError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise AurifyError(f"the {type(source).__name__} is not a table: {said}") from None
    raise AurifyError(
        f"a {type(source).__name__} is not a table; give a path, a pandas, polars or Arrow table, a numpy array of two"
        " dimensions, a dict of columns or a list of rows"
    )


def with_target(source: Any, target: Any) -> tuple[pl.DataFrame, str, list[str]]:
    """A table and its targets (N,) as one frame; the name of the target's column, and why it is not the expected one.

    ``target`` is a Series, an array or a list of N values, or a table or array of one column. Its column is called as
    it is, or ``target``. Raises AurifyError for targets that are no single column, or of another length than the table.
    """
    if isinstance(source, (str, Path)):
        raise AurifyError(f"targets beside the file {source}: name its target column instead")
    frame, values = frame_of(source), _one_column(target)
    if frame.height != len(values):
        raise AurifyError(f"the table has {frame.height:,} rows and the target {len(values):,} values; give one a row")
    wanted = values.name or "target"
    name = free_name(wanted, frame)
    notes = [] if name == wanted else [f"the table has a column {wanted!r} of its own: the target is called {name!r}"]
    return frame.with_columns(values.alias(name)), name, notes


def names_columns(source: Any, target: Any) -> bool:
    """Whether ``target`` is a list of columns of ``source``, and not one of targets; a file's are names always."""
    if not isinstance(target, (list, tuple)) or not target or not all(isinstance(each, str) for each in target):
        return False
    if source is None or isinstance(source, (str, Path)):
        return True
    if type(source).__module__.partition(".")[0] in ("numpy", "torch") and not getattr(source.dtype, "names", None):
        return False
    if hasattr(source, "collect_schema"):  # polars, lazy too
        return set(target) <= set(source.collect_schema().names())
    return set(target) <= {str(name) for name in getattr(source, "columns", getattr(source, "column_names", source))}


def free_name(wanted: str, frame: pl.DataFrame) -> str:
    """``wanted``, or with the first number behind it that makes it no column of the frame."""
    taken = {name.strip() for name in frame.columns}
    return next(n for n in (wanted, *(f"{wanted}_{at}" for at in range(2, len(taken) + 3))) if n not in taken)


def _one_column(target: Any) -> pl.Series:
    """Targets as a Series, called "" where they have no name of their own."""
    import polars as pl

    library = type(target).__module__.split(".")[0]
    if isinstance(target, pl.Series):
        return target
    named, name, table = hasattr(target, "columns") or hasattr(target, "column_names"), "", target
    if library == "pandas" and not named:
        name, table = "" if target.name is None else str(target.name), target.to_frame("target")
    elif library == "pyarrow" and not named:
        table = {"target": target.to_pylist()}
    elif isinstance(target, np.ndarray) and target.ndim == 1:
        table = target[:, None]
    elif isinstance(target, (list, tuple)) and not any(isinstance(value, (list, tuple, dict)) for value in target):
        table = {"target": list(target)}
    try:
        if isinstance(table, np.ndarray) and table.ndim > 2:
            raise AurifyError("images are no targets")
        frame = frame_of(table)
    except AurifyError:
        fix = "give the name of a column, or a Series, an array or a list of one value a row"
        raise AurifyError(f"a {type(target).__name__} is no target; {fix}") from None
    if frame.width != 1:
        raise AurifyError(f"the target has {frame.width:,} columns; one is predicted at a time: give one of them")
    return frame.to_series().alias(frame.columns[0] if named else name)


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
        columns[str(name)] = pl.Series(_column(plain), strict=False)
    return pl.DataFrame(columns)


def _column(values: Any) -> Any:
    """The values of a column, images among them as bytes of files."""
    if isinstance(values, np.ndarray) and values.ndim in (3, 4):
        return frame_of_array(values)[IMAGE]
    some = values if isinstance(values, (list, tuple)) else values.tolist() if _of_objects(values) else ()
    return packed(some) if any(map(is_image, some)) else values


def _of_objects(values: Any) -> bool:
    return isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind == "O"


def _packed_cell(value: Any) -> Any:
    return packed([value])[0]


def _from_rows(rows: list[Any]) -> pl.DataFrame:
    """Rows of cells, all of one length."""
    import polars as pl

    lengths = sorted({len(row) for row in rows})
    if len(lengths) > 1:
        raise ValueError(f"it has rows of {lengths[0]:,} and of {lengths[-1]:,} cells")
    columns = zip(*rows, strict=True)
    return pl.DataFrame({f"column_{at}": pl.Series(list(cells), strict=False) for at, cells in enumerate(columns, 1)})


def _from_numpy(array: np.ndarray) -> pl.DataFrame:
    """Columns by field, or ``column_1`` and so on; masked values are missing."""
    import polars as pl

    if array.dtype.names:
        flat = array.reshape(-1)
        columns = {name: flat[name] for name in array.dtype.names}
    else:
        columns = {f"column_{at}": array[:, at - 1] for at in range(1, array.shape[1] + 1)}
    return pl.DataFrame({name: _series(values) for name, values in columns.items()})


def _series(values: np.ndarray) -> pl.Series:
    import polars as pl

    plain = np.asarray(np.ma.getdata(values))
    if plain.dtype.kind == "S":
        plain = plain.astype(str)
    elif plain.dtype.kind == "f" and plain.dtype.itemsize not in (4, 8):
        plain = plain.astype(np.float64)
    elif plain.dtype.kind == "O":
        present = ~np.ma.getmaskarray(values)
        return pl.Series([v if here else None for v, here in zip(plain, present, strict=True)], strict=False)
    elif plain.dtype.kind not in "iufbUMm":
        raise TypeError(f"values of type {plain.dtype} are no cells of a table")
    return pl.Series(np.ascontiguousarray(plain), nan_to_null=True).set(pl.Series(np.ma.getmaskarray(values)), None)
