"""Read the rows of a text table in blocks of a few MB, so that memory holds the columns and little else."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from aurify.core.errors import AurifyError
from aurify.core.words import Said, said
from aurify.data.archives import Content
from aurify.data.csv_blocks import LISTED_LINES, Blocks, OtherEncodingError, lines_at, regular, text_pieces
from aurify.data.csv_text import SAMPLE_BYTES, Form, OpenQuoteError, form_of, noticed, numbered, open_quote
from aurify.data.encodings import encoding_of, other_encoding
from aurify.data.row_sample import Drawn, RowSample

if TYPE_CHECKING:
    import polars as pl

Made = TypeVar("Made")

INFER_BYTES = 2**19
AHEAD = 2
MISSING_MARKS = ("", "?", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL")


def read_csv(
    content: Content,
    *,
    separator: str | None,
    encoding: str | None,
    header: str,
    missing: Sequence[str],
    texts: Sequence[str],
    names: tuple[str, ...] | None,
    begin: Callable[[], RowSample],
) -> tuple[Drawn, list[str]]:
    """The rows and what was found that is not the plain case.

    ``texts`` come as written, ``names`` are those of a known table, ``begin`` makes the sample that takes the rows.
    Raises AurifyError for what is no table.
    """
    wanted = {"separator": separator, "header": header, "known": names}

    def read(chosen: str) -> tuple[Drawn, list[str]]:
        pieces = text_pieces(content, chosen)
        sample, more = next(pieces, b""), next(pieces, b"")
        if not sample:
            raise AurifyError(f"{content.name} is empty")
        final = not more and len(sample) <= SAMPLE_BYTES
        form = form_of(sample[:SAMPLE_BYTES], content.name, chosen, final=final, **wanted)
        return _read(content, form, missing, texts, begin)

    return in_its_encoding(content, encoding, read)


def in_its_encoding(content: Content, encoding: str | None, read: Callable[[str], Made]) -> Made:
    """What ``read`` makes of a text in the encoding that is ``wanted`` or found, another one where it turns out so.

    Raises AurifyError where it is none that can be read.
    """
    chosen = encoding_of(content.head(SAMPLE_BYTES), encoding)
    while True:
        try:
            return read(chosen)
        except OtherEncodingError as error:
            other = other_encoding(error.piece)
            if encoding is not None or chosen in ("utf-16", "utf-32", "latin-1"):
                raise AurifyError(
                    f"{content.name} cannot be read as {chosen}: {error}; say which with --encoding"
                ) from None
            chosen = other if other not in (chosen, "utf-8") else "latin-1"


def _read(
    content: Content, form: Form, missing: Sequence[str], texts: Sequence[str], begin: Callable[[], RowSample]
) -> tuple[Drawn, list[str]]:
    import polars as pl

    blocks = Blocks(content, form)
    fixed = {f"column_{at}": pl.String for at, name in enumerate(form.names, 1) if name in texts}
    reader, sample = _Reader(blocks, form, missing), begin()
    try:
        for place, frame in reader.frames(fixed):
            sample.add(place, frame)
        if reader.became_text:  # numbers at first: read these columns once more, as they are written
            for place, late in reader.again():
                sample.renew(place, late)
    except OpenQuoteError as error:
        if form.separator == b"\t" and form.quoting:  # tabs need no quotes: these are plain characters
            return _read(content, replace(form, quoting=False), missing, texts, begin)
        (line,) = lines_at(content, form.encoding, [error.at])
        raise AurifyError(open_quote(content.name, line)) from None
    if not sample.count:
        sample.add(-1, pl.DataFrame(schema=form.names))
    drawn = sample.drawn()
    ragged = blocks.ragged
    if ragged.count and ragged.count >= drawn.count:
        raise AurifyError(
            f"{content.name} cannot be read as CSV: {ragged.count:,} of {ragged.count + drawn.count:,} lines have"
            f" another number of cells than the {form.width} columns; put cells that hold the separator in quotes"
        )
    notes = noticed(form, content.name)
    if ragged.count:
        numbers = lines_at(content, form.encoding, sorted(ragged.places))
        lines = ", ".join(f"{number:,}" for number in numbers) + (", ..." if ragged.count > LISTED_LINES else "")
        notes.append(_ragged(content.name, ragged.count, form.width, lines))
    drawn.frame.columns = list(form.names)
    return drawn, notes


def _ragged(name: str, count: int, cells: int, lines: str) -> Said:
    if count == 1:
        return said(
            "{name}: 1 ragged line has not {cells} cells and is left out: line {lines}",
            name=name,
            cells=cells,
            lines=lines,
        )
    return said(
        "{name}: {count:,} ragged lines have not {cells} cells and are left out: lines {lines}",
        name=name,
        count=count,
        cells=cells,
        lines=lines,
    )


class _Reader:
    """Parses one text table block by block; types come from the first block and give way to later values."""

    def __init__(self, blocks: Blocks, form: Form, missing: Sequence[str]):
        self._blocks, self._form = blocks, form
        self._marks = [*MISSING_MARKS, *missing]
        self._always = bool(missing)
        self._schema: dict[str, Any] = {}
        self.became_text: list[str] = []

    def frames(self, fixed: Mapping[str, Any]) -> Iterator[tuple[int, pl.DataFrame]]:
        """The place of each block and its frame, columns by number; the next block is read while one is parsed."""
        return self._ahead(self._blocks, None, fixed)

    def again(self) -> Iterator[tuple[int, pl.DataFrame]]:
        """The columns that became text only later, once more and as they are written."""
        import polars as pl

        self._schema = dict.fromkeys(self._schema, pl.String)
        return self._ahead(self._blocks.again(), self.became_text, {})

    def _ahead(
        self, blocks: Blocks, columns: Sequence[str] | None, fixed: Mapping[str, Any]
    ) -> Iterator[tuple[int, pl.DataFrame]]:
        pending: deque[tuple[int, bytes, Future[pl.DataFrame]]] = deque()
        with ThreadPoolExecutor(2) as pool:
            for place, block in blocks:
                if not self._schema:
                    block = self._begun(place, block, blocks, fixed)
                if block:
                    pending.append((place, block, pool.submit(self._parsed, block, self._schema, columns)))
                if len(pending) > AHEAD:
                    yield pending[0][0], self._settled(*pending.popleft(), columns, blocks)
            while pending:
                yield pending[0][0], self._settled(*pending.popleft(), columns, blocks)

    def _begun(self, place: int, block: bytes, blocks: Blocks, fixed: Mapping[str, Any]) -> bytes:
        """Find the types in the first block; returns it, without its ragged lines where they stand in the way."""
        import polars as pl

        form = self._form
        whole = block.count(form.separator) == block.count(b"\n") * (form.width - 1) or regular(block, form, exact=True)
        kinds = self._inferred(block) if whole else None
        if kinds is None:
            block, _ = blocks.repaired(block, place, final=True)
            kinds = self._inferred(block) if block else None
        if block:
            names = numbered(form.width)
            self._schema = {**dict(zip(names, kinds or [pl.String] * len(names), strict=True)), **fixed}
        return block

    def _inferred(self, block: bytes) -> list[Any] | None:
        """The types of the columns; None where lines have too many cells."""
        from polars.exceptions import PolarsError

        sample = block[: self._blocks.end_of(block[:INFER_BYTES])] or block
        try:
            kinds = self._polars(sample, null_values=self._marks, infer_schema_length=None).dtypes
        except PolarsError:
            return None
        return kinds if len(kinds) == self._form.width else None

    def _parsed(self, block: bytes, schema: Mapping[str, Any], columns: Sequence[str] | None) -> pl.DataFrame:
        from polars import selectors

        marks = self._marks if self._always else None
        frame = self._polars(block, schema=schema, columns=columns, null_values=marks)
        if any(s.is_nan().any() for s in frame.get_columns() if s.dtype.is_float()):
            return frame.with_columns(selectors.float().fill_nan(None))
        return frame

    def _settled(
        self, place: int, block: bytes, future: Future[pl.DataFrame], columns: Sequence[str] | None, blocks: Blocks
    ) -> pl.DataFrame:
        """The frame of a block; where a value disagrees with its column's type, the type gives way, never the value."""
        import polars as pl
        from polars.exceptions import PolarsError

        try:
            frame = future.result()
            if blocks.exact or not frame.to_series(-1).null_count() or regular(block, self._form, exact=True):
                return frame
            block, _ = blocks.repaired(block, place, final=True)
        except PolarsError:
            self._always = True  # looking for marks costs time, so it begins where there are some
            if not regular(block, self._form, exact=True):
                block, _ = blocks.repaired(block, place, final=True)
        try:
            return self._parsed(block, self._schema, columns)
        except PolarsError:
            schema = {name: self._wider(block, name) for name in self._schema}
        self.became_text += [n for n, kind in schema.items() if kind == pl.String != self._schema[n]]
        self._schema = schema
        return self._parsed(block, schema, columns)

    def _wider(self, block: bytes, name: str) -> Any:
        """The narrowest type from this column's own up that takes all values of the block."""
        import polars as pl
        from polars.exceptions import PolarsError

        own = self._schema[name]
        for kind in (own, pl.Float64) if own.is_numeric() else (own,):
            try:
                self._parsed(block, {**dict.fromkeys(self._schema, pl.String), name: kind}, [name])
                return kind
            except PolarsError:
                continue
        return pl.String

    def _polars(self, block: bytes, **settings: Any) -> pl.DataFrame:
        import polars as pl

        form = self._form
        if not block:
            return pl.DataFrame(schema=settings["schema"]).select(settings["columns"] or list(settings["schema"]))
        return pl.read_csv(
            block,
            has_header=False,
            separator=form.separator.decode(),
            quote_char='"' if form.quoting else None,
            low_memory=True,
            glob=False,
            **settings,
        )
