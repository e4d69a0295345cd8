"""Standard input as a file, for what reads files: ``-`` in the place of a file's name."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aurify.core.errors import AurifyError

NAME = "stdin"


@contextmanager
def standing_in(data: str) -> Iterator[str | Path]:
    """What is to be read: ``data``, or for ``-`` a file with what comes in, that is gone afterwards.

    Errors call it ``stdin``. Raises AurifyError where nothing comes in.
    """
    if data != "-":
        yield data
        return
    with tempfile.TemporaryDirectory(prefix="aurify-") as folder:
        path = Path(folder) / NAME
        content = sys.stdin.buffer.read() if sys.stdin is not None else b""
        if not content.strip():
            raise AurifyError("nothing came in on stdin; pipe a file of rows into it, or lines of text")
        path.write_bytes(content)
        try:
            yield path
        except AurifyError as error:
            error.args = (str(error).replace(str(path), NAME),)
            raise
