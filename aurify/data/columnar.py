"""Read tables that carry their own types: Parquet, Arrow files and streams (Feather), JSON lines."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import BytesIO
from typing import TYPE_CHECKING, Any

from aurify.core.errors import AurifyError
from aurify.data.archives import Content

if TYPE_CHECKING:
    import polars as pl

PARQUET, ARROW, CONTINUATION = b"PAR1", b"ARROW1\0\0", b"\xff\xff\xff\xff"
ENDS = {"parquet": PARQUET, "arrow": b"ARROW1", "arrow stream": CONTINUATION + b"\0\0\0\0"}
TRIAL = """
import sys
from aurify.data.columnar import parsed
try:
    parsed(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else sys.stdin.buffer.read())
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


def read_columnar(content: Content, kind: str) -> pl.DataFrame:
    """Read the whole table. Raises AurifyError where the file is torn or damaged."""
    if kind == "json lines":
        return _read_json_lines(content)
    raw = content.whole() if content.packed else None
    with content.path.open("rb") as file:
        file.seek(max(0, content.path.stat().st_size - 8))
        end = raw[-8:] if raw is not None else file.read()
    if not end.endswith(ENDS[kind]):
        raise AurifyError(f"{content.name} is cut off: it does not end as {kind} does; fetch it again")
    # a damaged file can end the process that parses it, so another one goes first
    command = [sys.executable, "-P", "-c", TRIAL, kind, *([str(content.path)] if raw is None else [])]
    where = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}  # it finds what this process found
    trial = subprocess.run(
        command, input=raw or b"", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False, env=where
    )
    if trial.returncode:
        why = (trial.stdout.decode(errors="replace").strip().splitlines() or ["the parser gave up"])[0]
        raise AurifyError(f"{content.name} is damaged and cannot be read as {kind}: {why}; fetch it again")
    return parsed(kind, str(content.path) if raw is None else raw)


def parsed(kind: str, source: str | bytes) -> pl.DataFrame:
    """Parse a path or bytes; what is damaged may do anything, up to the end of the process."""
    import polars as pl

    if kind == "parquet":
        return pl.read_parquet(source, glob=False, hive_partitioning=False)
    return pl.read_ipc_stream(source) if kind == "arrow stream" else pl.read_ipc(source)


def _read_json_lines(content: Content) -> pl.DataFrame:
    import polars as pl
    from polars.exceptions import PolarsError

    text = content.whole().removeprefix(b"\xef\xbb\xbf")
    if not text.strip():
        raise AurifyError(f"{content.name} is empty")
    try:
        return pl.read_ndjson(BytesIO(text), infer_schema_length=None)
    except PolarsError:  # say which line, or read line by line what is only of many types
        rows = [row for at, line in enumerate(text.split(b"\n"), 1) if (row := _row(content, at, line)) is not None]
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
