"""Read tables that carry their own types: Parquet, Arrow files and streams (Feather), JSON lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

from aurify.core.errors import AurifyError
from aurify.data.archives import Content
from aurify.data.row_sample import EVERY, Drawn, RowSample

if TYPE_CHECKING:
    import polars as pl

PARQUET, ARROW, CONTINUATION = b"PAR1", b"ARROW1\0\0", b"\xff\xff\xff\xff"
ENDS = {"parquet": PARQUET, "arrow": b"ARROW1", "arrow stream": CONTINUATION + b"\0\0\0\0"}
PIECE_ROWS, PIECE_BYTES = 2**18, 2**24
TRIAL = """
import sys
from aurify.data.columnar import pieces
try:
    for _ in pieces(sys.argv[1], sys.argv[3] if len(sys.argv) > 3 else sys.stdin.buffer.read(), int(sys.argv[2])):
        pass
except BaseException as error:
    print(error)
    sys.exit(1)
"""


def kind_of(content: Content) -> str:
    """Say by its first bytes what it holds: ``parquet``, ``arrow``, ``arrow stream``, ``json lines`` or ``text``."""
    head = content.head(2**16)
    if (head.startswith(PARQUET) and not head[4:5].isascii()) or head[:5] == PARQUET + b"\x15":
        return "parquet"
    if head.startswith(ARROW):
        return "arrow"
    if head.startswith(CONTINUATION) and len(head) > 8:
        return "arrow stream"
    begin = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if content.suffix in (".jsonl", ".ndjson") or (begin[:1] == b"{" and begin[1:].lstrip()[:1] in (b'"', b"}")):
        return "json lines"
    if begin[:1] == b"[" and begin[1:].lstrip()[:1] == b"{":
        raise AurifyError(f"{content.name} is one JSON list; write one object in a line (JSON lines)")
    return "text"


def read_columnar(content: Content, kind: str, begin: Callable[[], RowSample]) -> Drawn:
    """Read the table into the sample that ``begin`` makes. Raises AurifyError where the file is torn or damaged."""
    if kind == "json lines":
        return _read_json_lines(content, begin())
    raw = content.whole() if content.packed else None
    with content.path.open("rb") as file:
        file.seek(max(0, content.path.stat().st_size - 8))
        end = raw[-8:] if raw is not None else file.read()
    if not end.endswith(ENDS[kind]):
        raise AurifyError(f"{content.name} is cut off: it does not end as {kind} does; fetch it again")
    sample = begin()
    # a damaged file can end the process that parses it, so another one goes first
    command = [sys.executable, "-P", "-c", TRIAL, kind, str(sample.most), *([str(content.path)] if raw is None else [])]
    where = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}  # it finds what this process found
    trial = subprocess.run(
        command, input=raw or b"", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, env=where
    )
    if trial.returncode:
        why = (trial.stdout.decode(errors="replace").strip().splitlines() or ["the parser gave up"])[0]
        raise AurifyError(f"{content.name} is damaged and cannot be read as {kind}: {why}; fetch it again")
    for at, frame in enumerate(pieces(kind, str(content.path) if raw is None else raw, sample.most)):
        sample.add(at, frame)
    return sample.drawn()


def pieces(kind: str, source: str | bytes, most: int) -> Iterator[pl.DataFrame]:
    """Parse a path or bytes, at once or, where it has more than ``most`` rows, piece by piece.

    What is damaged may do anything, up to the end of the process.
    """
    import polars as pl

    if kind == "arrow stream":
        yield pl.read_ipc_stream(source)
        return
    lazy = pl.scan_parquet(source, glob=False, hive_partitioning=False) if kind == "parquet" else pl.scan_ipc(source)
    rows = lazy.select(pl.len()).collect().item() if most < EVERY else 0
    if rows > most:
        for at in range(0, rows, PIECE_ROWS):
            yield lazy.slice(at, PIECE_ROWS).collect()
    elif kind == "parquet":
        yield pl.read_parquet(source, glob=False, hive_partitioning=False)
    else:
        yield pl.read_ipc(source)


def _read_json_lines(content: Content, sample: RowSample) -> Drawn:
    import polars as pl
    from polars.exceptions import PolarsError

    if sample.most == EVERY:
        text, drawn = content.whole().removeprefix(BOM_UTF8), None
    else:
        drawn = _drawn_lines(content, sample)
        text = b"\n".join(drawn.frame["line"]) if drawn.count else b""
    if not text.strip():
        raise AurifyError(f"{content.name} is empty")
    lines = text.split(b"\n")
    try:
        frame = pl.read_ndjson(BytesIO(text), infer_schema_length=None)
    except PolarsError:  # say which line, or read line by line what is only of many types
        numbers = range(len(lines)) if drawn is None or drawn.rows is None else drawn.rows
        rows = [
            row for at, line in zip(numbers, lines, strict=True) if (row := _row(content, at + 1, line)) is not None
        ]
        frame = _frame_of_rows(content, rows)
    return Drawn(frame, frame.height) if drawn is None else replace(drawn, frame=frame)


def _drawn_lines(content: Content, sample: RowSample) -> Drawn:
    """A sample of the lines that are not blank, in the column ``line``."""
    import polars as pl

    at, rest = 0, b""
    with content.open() as stream:
        while piece := stream.read_lines(PIECE_BYTES):
            *lines, rest = (rest + (piece if at else piece.removeprefix(BOM_UTF8))).split(b"\n")
            sample.add(at, pl.DataFrame({"line": [line for line in lines if line.strip()]}, schema={"line": pl.Binary}))
            at += 1
    sample.add(at, pl.DataFrame({"line": [rest] if rest.strip() else []}, schema={"line": pl.Binary}))
    return sample.drawn()


def _frame_of_rows(content: Content, rows: list[dict[str, Any]]) -> pl.DataFrame:
    import polars as pl
    from polars.exceptions import PolarsError

    try:
        return pl.DataFrame(rows, infer_schema_length=None, strict=False)
    except (PolarsError, TypeError, OverflowError) as error:
        raise AurifyError(f"{content.name} cannot be read as JSON lines: {str(error).splitlines()[0]}") from None


def _row(content: Content, at: int, line: bytes) -> dict[str, Any] | None:
    if not line.strip():
        return None
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise AurifyError(f"{content.name}, line {at:,} is not JSON: {error}") from None
    if not isinstance(row, dict):
        raise AurifyError(f"{content.name}, line {at:,} is not a JSON object with a name for each value")
    return row
