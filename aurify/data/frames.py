"""Tables that are in memory already: pandas, polars, Arrow, numpy, dicts and lists of dicts, as polars frames."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from aurify.core.errors import AurifyError

if TYPE_CHECKING:
    import polars as pl


def frame_of(source: Any) -> pl.DataFrame:
    """Convert without a need for pandas or pyarrow. Raises AurifyError for what is no table."""
    import polars as pl
    from polars.exceptions import PolarsError

    library = type(source).__module__.split(".")[0]
    try:
        if isinstance(source, pl.DataFrame):
            return source
        if isinstance(source, pl.LazyFrame):
            return source.collect()
        if library == "pandas" and hasattr(source, "columns"):
            return _from_pandas(source)
        if library == "pyarrow" and hasattr(source, "column_names"):
            return pl.DataFrame(source)
        if isinstance(source, np.ndarray) and (source.ndim == 2 or source.dtype.names):
            return _from_numpy(source)
        if isinstance(source, dict):
            return pl.DataFrame(source, strict=False)
        if isinstance(source, list) and all(isinstance(row, dict) for row in source):
            return pl.DataFrame(source, infer_schema_length=None, strict=False)
    except (PolarsError, TypeError, ValueError, OverflowError, OSError) as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise AurifyError(f"the {type(source).__name__} is not a table: {said}") from None
    raise AurifyError(
        f"a {type(source).__name__} is not a table; give a path, a pandas, polars or Arrow table, a numpy array of two"
        " dimensions, a dict of columns or a list of dicts"
    )


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
