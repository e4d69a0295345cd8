"""Read a source of rows into a polars frame: a file, packed or not, a folder of them, or a table in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from aurify.core.errors import AurifyError, listing
from aurify.core.words import said
from aurify.data.archives import TABLES, content_of, tables_among
from aurify.data.columnar import kind_of, read_columnar
from aurify.data.csv_rows import read_csv
from aurify.data.noticed import THE_DATA
from aurify.data.row_sample import EVERY, Drawn, RowSample, lowest, rows_of

if TYPE_CHECKING:
    import polars as pl

    from aurify.core.recipe import Source


@dataclass(frozen=True)
class Reading:
    """How a source is to be read where the user knows better than what it looks like.

    Of a source with more than ``most`` rows that many are read, drawn at random: for who only looks at them.
    """

    separator: str | None = None
    encoding: str | None = None
    header: str = "auto"
    missing: tuple[str, ...] = ()
    most: int = EVERY

    @classmethod
    def of(cls, source: Source, most: int = EVERY) -> Self:
        return cls(source.separator, source.encoding, source.header, source.missing, most)


@dataclass(frozen=True)
class Loaded:
    """The rows as they were read, and a line for everything about them that is not the plain case."""

    drawn: Drawn
    notes: tuple[str, ...] = ()

    @property
    def frame(self) -> pl.DataFrame:
        return self.drawn.frame


PLAIN = Reading()


def read_frame(
    source: Any, reading: Reading = PLAIN, *, texts: tuple[str, ...] = (), names: tuple[str, ...] | None = None
) -> Loaded:
    """Return the rows of a file (CSV, Parquet, Arrow, JSON lines; also in gzip or zip), of a folder of like files, of
    a pandas, polars or Arrow table, a numpy array, a dict of columns or a list of dicts.

    ``texts`` are columns whose values must come as they are written, whatever they look like; ``names`` are the
    columns of a table known already, its target last: they tell whether a file of new rows has a header. Raises
    AurifyError for what is absent, empty, damaged or no table.
    """
    if not isinstance(source, (str, Path)):
        from aurify.data.frames import frame_of

        sample = RowSample(reading.most)
        sample.add(0, frame_of(source))
        drawn = _checked(sample.drawn(), "the data frame")
        return Loaded(drawn, _said(drawn, THE_DATA))
    path = Path(source)
    _require_readable(path)
    loaded = _read_folder(path, reading, texts, names) if path.is_dir() else _read_file(path, reading, texts, names)
    return Loaded(loaded.drawn, (*loaded.notes, *_said(loaded.drawn, str(path))))


def _read_file(
    path: Path, reading: Reading, texts: tuple[str, ...], names: tuple[str, ...] | None, first: int = 0
) -> Loaded:
    """The rows of one file; ``first`` is the number of its first row."""
    content = content_of(path)
    kind = kind_of(content)
    begin = partial(RowSample, reading.most, first)
    if kind != "text":
        return Loaded(_checked(read_columnar(content, kind, begin), content.name))
    drawn, notes = read_csv(
        content,
        separator=reading.separator,
        encoding=reading.encoding,
        header=reading.header,
        missing=reading.missing,
        texts=texts,
        names=names,
        begin=begin,
    )
    return Loaded(_checked(drawn, content.name), tuple(notes))


def _read_folder(path: Path, reading: Reading, texts: tuple[str, ...], names: tuple[str, ...] | None) -> Loaded:
    """The rows of every table in a folder, in the order of their names."""
    import polars as pl

    chosen = [path / n for n in tables_among(sorted(p.name for p in path.iterdir() if p.is_file()))]
    if not chosen:
        raise AurifyError(f"{path} is a folder without a table in it, such as a CSV or Parquet file")
    loaded = _read_file(chosen[0], reading, texts, names)
    first, notes, pieces = loaded.frame, list(loaded.notes), [loaded.drawn]
    for other in chosen[1:]:
        loaded = _read_file(other, reading, texts, tuple(first.columns), sum(piece.count for piece in pieces))
        _require_like(first, loaded.frame, chosen[0], other)
        notes += loaded.notes
        pieces = lowest([*pieces, loaded.drawn], reading.most)
    schemas = [piece.frame.schema for piece in pieces]
    mixed = [n for n in first.columns if pl.String in (kinds := {s[n] for s in schemas}) and len(kinds) > 1]
    if set(mixed) - set(texts):  # numbers in one file, texts in another: as they are written in both
        return _read_folder(path, reading, (*texts, *mixed), names)
    frames = [piece.frame.select(first.columns).with_columns(pl.col(mixed).cast(pl.String)) for piece in pieces]
    try:
        frame = pl.concat(frames, how="vertical_relaxed", rechunk=False)
    except pl.exceptions.PolarsError as error:
        raise AurifyError(f"the files in {path} do not fit together: {str(error).splitlines()[0]}") from None
    counted = said(
        "{path}: {files} files read as one table, {first} to {last}",
        path=str(path),
        files=len(chosen),
        first=chosen[0].name,
        last=chosen[-1].name,
    )
    drawn = Drawn(frame, sum(piece.count for piece in pieces), rows_of(pieces))
    return Loaded(drawn, (counted, *dict.fromkeys(notes)))


def _require_like(first: pl.DataFrame, frame: pl.DataFrame, path: Path, other: Path) -> None:
    lacking = [n for n in first.columns if n not in frame.columns]
    extra = [n for n in frame.columns if n not in first.columns]
    if lacking or extra:
        what = f"lacks {listing(lacking)}" if lacking else f"has {listing(extra)} besides"
        raise AurifyError(f"{other} does not have the columns of {path.name}: it {what}; keep like files in a folder")


def _require_readable(path: Path) -> None:
    """Refuse a path that holds nothing to read."""
    try:
        path.stat()
        if not path.is_file() and not path.is_dir():
            raise AurifyError(f"{path} is a pipe or a device; write the data to a file first")
        if path.is_file() and path.stat().st_size == 0:
            raise AurifyError(f"{path} is empty")
        if path.is_dir():
            next(path.iterdir(), None)
    except FileNotFoundError:
        beside = sorted(p.name for p in path.parent.iterdir() if _is_table(p)) if path.parent.is_dir() else []
        near = f"; beside it are {listing(beside)}" if beside else ""
        raise AurifyError(f"no file at {path}{near}") from None
    except (OSError, ValueError) as error:
        raise AurifyError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _is_table(path: Path) -> bool:
    return path.name.lower().removesuffix(".gz").removesuffix(".zip").endswith(TABLES) and path.is_file()


def _said(drawn: Drawn, name: str) -> tuple[str, ...]:
    """A line where some rows are not here."""
    if drawn.frame.height == drawn.count:
        return ()
    text = said(
        "{name}: {rows:,} of {count:,} rows were looked at, drawn at random; counts of rows, copies among them too, are"
        " of these",
        name=name,
        rows=drawn.frame.height,
        count=drawn.count,
    )
    return (text,)


def _checked(drawn: Drawn, name: str) -> Drawn:
    frame = drawn.frame
    if frame.width == 0 or frame.height == 0:
        raise AurifyError(f"{name} has no rows, only the names of {frame.width:,} column(s); give a table with rows")
    names = [c.strip() or f"column_{at}" for at, c in enumerate(frame.columns, 1)]
    twice = [n for n in dict.fromkeys(names) if names.count(n) > 1]
    if twice:
        raise AurifyError(f"{name} has two columns named {twice[0]!r}; rename one")
    return replace(drawn, frame=frame.rename(dict(zip(frame.columns, names, strict=True))))
