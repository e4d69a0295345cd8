"""Which columns of a table are of images: paths of files, bytes of files, or arrays of bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")
MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"BM", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")
LOOKED_AT = 1000


def of_images(values: pl.Series) -> bool:
    """Whether a column holds images, by its type, its first bytes or the names of its files."""
    import polars as pl

    if isinstance(values.dtype, pl.Array):
        return len(values.dtype.shape) in (2, 3) and _inner(values.dtype) == pl.UInt8
    present = values.drop_nulls().head(LOOKED_AT)
    if not len(present):
        return False
    if values.dtype == pl.Binary:
        return all(each.startswith(MAGIC) for each in present.to_list())
    return values.dtype == pl.String and bool(present.str.to_lowercase().str.contains(PATTERN).all())


def _inner(dtype: pl.DataType) -> object:
    while hasattr(dtype, "inner"):
        dtype = dtype.inner  # type: ignore[attr-defined]
    return dtype


PATTERN = "(" + "|".join(suffix.replace(".", r"\.") for suffix in SUFFIXES) + ")$"
