"""Folders for runs that nobody keeps."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Give a folder that is gone afterwards; what is saved meanwhile does not wait for the disk."""
    with tempfile.TemporaryDirectory(prefix="aurify-") as name, mock.patch.object(os, "fsync", lambda handle: None):
        yield Path(name)
