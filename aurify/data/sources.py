"""Read a source of rows into a polars frame: a file, packed or not, a folder of them, or a table in memory."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aurify.core.errors import AurifyError, listing
from aurify.core.words import said
from aurify.data.archives import TABLES, Content, content_of, tables_among
from aurify.data.class_folders import FILE, IMAGE, LABEL, LEARNT, TESTED, TEXT, ClassFolders, class_folders
from aurify.data.columnar import kind_of, read_columnar
from aurify.data.csv_blocks import text_pieces
from aurify.data.csv_rows import in_its_encoding, read_csv
from aurify.data.idx import IdxFiles, idx_files
from aurify.data.image_files import of_image
from aurify.data.labelled_lines import looks_labelled, read_lines
from aurify.data.loaded import Loaded, Reading
from aurify.data.noticed import THE_DATA
from aurify.data.row_sample import Drawn, RowSample, lowest, rows_of

if TYPE_CHECKING:
    import polars as pl


PLAIN = Reading()


def read_frame(
    source: Any,
    reading: Reading = PLAIN,
    *,
    texts: tuple[str, ...] = (),
    names: tuple[str, ...] | None = None,
    labels: tuple[str, ...] | None = None,
) -> Loaded:
    """Return the rows of a file (CSV, Parquet, Arrow, JSON lines; also in gzip or zip), of a folder of like files, of
    a pandas, polars or Arrow table, a numpy array, a dict of columns or a list of dicts; of a folder of texts for each
    class, or of lines of a label and a text.

    ``texts`` are columns whose values must come as they are written, whatever they look like; ``names`` are the
    columns of a table known already, its target last, and ``labels`` the classes of that: they tell whether a file of
    new rows has a header, and whether its lines have labels. Raises AurifyError for what is absent, empty, damaged or
    no table.
    """
    if not isinstance(source, (str, Path)):
        from aurify.data.frames import frame_of

        sample = RowSample(reading.most)
        sample.add(0, frame_of(source))
        drawn = _checked(sample.drawn(), "the data frame")
        return Loaded(drawn, _said(drawn, THE_DATA))
    path = Path(source)
    _require_readable(path)
    idx = idx_files(path)
    if idx is not None:
        return _read_idx(path, idx, reading)
    if path.is_dir():
        tables = _tables_in(path)
        named = all(t.suffix.lower() in TABLES for t in tables) and tables
        classes = None if named else class_folders(path, known=_are_texts(names, FILE))
        loaded = _read_folder(path, reading, texts, names) if classes is None else _read_classes(classes, reading)
    else:
        loaded = _read_file(path, reading, texts, names, labels=labels)
    return replace(loaded, notes=(*loaded.notes, *_said(loaded.drawn, str(path))))


def _are_texts(names: tuple[str, ...] | None, *more: str) -> bool:
    """Whether columns known already are those of texts with their labels, and of nothing else."""
    return names is not None and set(names) in ({TEXT, LABEL, *more}, {IMAGE, LABEL, *more})


def _read_classes(classes: ClassFolders, reading: Reading) -> Loaded:
    """The rows of texts in folders, and of those of a test part."""
    drawn, notes = classes.read(classes.train, RowSample(reading.most), reading.encoding)
    test, more = None, []
    if classes.test:
        test, more = classes.read(classes.test, RowSample(reading.most), reading.encoding)
    return Loaded(drawn, (*classes.notes, *dict.fromkeys([*notes, *more])), texts=True, test=test)


def _read_idx(path: Path, files: IdxFiles, reading: Reading) -> Loaded:
    """The rows of IDX files, and of those of a test part."""
    drawn: dict[str, Drawn] = {}
    for part in files.parts:
        sample = RowSample(reading.most)
        sample.add(0, files.read(part))
        drawn[part] = sample.drawn()
    train, test = drawn[LEARNT], drawn.get(TESTED)
    text = said(
        "{name}: {rows:,} images read from {file}", name=str(path), rows=train.count, file=files.parts[LEARNT][0].name
    )
    notes = [text]
    if test is not None:
        text = said(
            "{name}: {rows:,} images of {file} are the test part",
            name=str(path),
            rows=test.count,
            file=files.parts[TESTED][0].name,
        )
        notes.append(text)
    return Loaded(train, (*notes, *_said(train, str(path))), texts=True, test=test)


def _read_image(path: Path) -> Loaded:
    """One row: an image."""
    import polars as pl

    frame = pl.DataFrame({FILE: [path.name], IMAGE: [str(path.absolute())]})
    return Loaded(Drawn(frame, 1), texts=True)


def _read_file(
    path: Path,
    reading: Reading,
    texts: tuple[str, ...],
    names: tuple[str, ...] | None,
    first: int = 0,
    labels: tuple[str, ...] | None = None,
) -> Loaded:
    """The rows of one file; ``first`` is the number of its first row."""
    if of_image(str(path)):
        return _read_image(path)
    content = content_of(path)
    if content.packed == "zip" and not content.member:
        classes = class_folders(path, known=False)
        if classes is None:
            raise AurifyError(f"{path} holds no single table, and no folders of texts")
        return _read_classes(classes, reading)
    kind = kind_of(content)
    begin = partial(RowSample, reading.most, first)
    if kind != "text":
        return Loaded(_checked(read_columnar(content, kind, begin), content.name))
    lines = _read_lines(content, reading, names, labels, begin)
    if lines is not None:
        return lines
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


def _read_lines(
    content: Content,
    reading: Reading,
    names: tuple[str, ...] | None,
    labels: tuple[str, ...] | None,
    begin: Callable[[], RowSample],
) -> Loaded | None:
    """The rows of a file whose lines are texts, each perhaps with its label before it; None where they are not."""
    known = _are_texts(names) or _are_texts(names, FILE)
    table = reading.separator is not None or reading.header != "auto" or content.suffix in TABLES[:3]
    if table or (names is not None and not known):
        return None

    def read(encoding: str) -> Loaded | None:
        beginning = next(text_pieces(content, encoding), b"").decode(errors="replace")
        labelled = looks_labelled(content, beginning, (labels or ()) if known else ())
        header = TEXT in re.split(r"[,;|\t]", beginning.partition("\n")[0].strip())
        if header or not (labelled or known):
            return None
        drawn, notes = read_lines(content, encoding, labelled, begin)
        return Loaded(_checked(drawn, content.name), tuple(notes), texts=True)

    return in_its_encoding(content, reading.encoding, read)


def _tables_in(path: Path) -> list[Path]:
    """The tables that lie in a folder itself, by name."""
    return [path / n for n in tables_among(sorted(p.name for p in path.iterdir() if p.is_file()))]


def _read_folder(path: Path, reading: Reading, texts: tuple[str, ...], names: tuple[str, ...] | None) -> Loaded:
    """The rows of every table in a folder, in the order of their names."""
    import polars as pl

    chosen = _tables_in(path)
    if not chosen:
        raise AurifyError(
            f"{path} is a folder without a table in it, such as a CSV or Parquet file, and without a folder of texts"
            " (.txt) or images for each class"
        )
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
