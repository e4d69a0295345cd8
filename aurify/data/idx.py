"""IDX files, in which MNIST and its kin are kept: arrays of bytes behind a header that says their shape."""

from __future__ import annotations

import gzip
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from aurify.core.errors import AurifyError
from aurify.data.class_folders import IMAGE, LABEL, LEARNT, TESTED

if TYPE_CHECKING:
    import polars as pl

NAME = re.compile(r"(?:^|[-_. ])(images|labels)[-_.]idx([134])[-_.]ubyte(?:\.gz)?$", re.IGNORECASE)
BYTES = 0x08
MOST_BYTES = 2**34


@dataclass(frozen=True)
class IdxFiles:
    """Files of images by part (``train``, ``test``), each with the file of their labels, where it has one."""

    parts: dict[str, tuple[Path, Path | None]]

    def read(self, part: str) -> pl.DataFrame:
        """The rows of a part: ``image`` and, where known, ``label``. Raises AurifyError for what is damaged."""
        import polars as pl

        path, beside = self.parts[part]
        images = read_idx(path)
        if images.ndim < 3 or not len(images):
            raise AurifyError(f"{path} holds no images: its shape is {images.shape}")
        columns = {IMAGE: pl.Series(IMAGE, images)}
        if beside is not None:
            labels = read_idx(beside)
            if labels.shape != (len(images),):
                raise AurifyError(f"{beside} has {labels.size:,} labels for {len(images):,} images; give one an image")
            columns[LABEL] = pl.Series(LABEL, labels).cast(pl.String)
        return pl.DataFrame(columns)


def idx_files(path: Path) -> IdxFiles | None:
    """The IDX files of images in a folder, or the one that a path is; None where there are none.

    Raises AurifyError for a folder with several data sets in it.
    """
    names = [path.name] if path.is_file() else sorted(p.name for p in path.iterdir() if p.is_file())
    folder = path.parent if path.is_file() else path
    parts: dict[str, tuple[Path, Path | None]] = {}
    taken = {name.removesuffix(".gz"): name for name in names}  # unpacked ones come first, for they are read faster
    for name in (n for n in taken.values() if (found := NAME.search(n)) is not None and found[1].lower() == "images"):
        part = TESTED if re.search(r"t10k|test", name, re.IGNORECASE) else LEARNT
        if part in parts:
            raise AurifyError(f"{path} holds several data sets, {parts[part][0].name} and {name}: give each a folder")
        parts[part] = folder / name, _labels_of(folder, name)
    if parts and LEARNT not in parts:  # a test part alone is what is given
        parts[LEARNT] = parts.pop(TESTED)
    return IdxFiles(parts) if parts else None


def _labels_of(folder: Path, name: str) -> Path | None:
    plain = re.sub(r"images([-_.])idx[34]", r"labels\1idx1", name.removesuffix(".gz"))
    return next((folder / n for n in (plain, f"{plain}.gz") if (folder / n).is_file()), None)


def read_idx(path: Path) -> np.ndarray:
    """The array in an IDX file of bytes, perhaps in gzip (LeCun, Cortes & Burges 1998).

    Raises AurifyError for other types of values and where there are more or fewer of them than the header says.
    """
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            file: Any = gzip.GzipFile(fileobj=plain) if packed else plain
            return _array(path, file)
    except (OSError, EOFError, zlib.error) as error:
        raise AurifyError(f"{path} is damaged: {getattr(error, 'strerror', None) or error}; fetch it again") from None


def _array(path: Path, file: IO[bytes]) -> np.ndarray:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] != BYTES or not 1 <= head[3] <= 4:
        raise AurifyError(f"{path} is no IDX file of bytes: it begins with {head.hex() or 'nothing'}")
    shape = tuple(np.frombuffer(file.read(4 * head[3]).ljust(4 * head[3], b"\0"), dtype=">u4").tolist())
    size = int(np.prod(shape, dtype=object))
    if size > MOST_BYTES:
        raise AurifyError(f"{path} says that it holds {size:,} bytes; at most {MOST_BYTES:,} are read")
    values = file.read(size)
    if len(values) < size or file.read(1):
        raise AurifyError(
            f"{path} is damaged: it does not hold the {size:,} bytes of its shape {shape}; fetch it again"
        )
    return np.frombuffer(values, dtype=np.uint8).reshape(shape)
