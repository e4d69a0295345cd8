"""Which columns of a table are of images: paths of files, bytes of files, or arrays of bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")
MAGIC = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"BM": "BMP",
    b"RIFF": "WEBP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
}
"""How files of images begin."""

LOOKED_AT = 1000
MOSTLY = 0.9
"""A column of which this share looks like images is one; the others are found broken when they are read."""

PATTERN = "(" + "|".join(suffix.replace(".", r"\.") for suffix in SUFFIXES) + r")\s*$"


def of_images(values: pl.Series) -> bool:
    """Whether a column holds images, by its type, its first bytes or the names of its files."""
    import polars as pl

    if isinstance(values.dtype, pl.Array):
        return len(values.dtype.shape) in (2, 3) and _inner(values.dtype) == pl.UInt8
    packed = held_bytes(values)
    if packed is None and values.dtype != pl.String:
        return False
    present = (values if packed is None else packed).drop_nulls().head(LOOKED_AT)
    if not len(present):
        return False
    if packed is not None:
        return sum(each.startswith(tuple(MAGIC)) for each in present.to_list()) >= MOSTLY * len(present)
    return int(present.str.to_lowercase().str.contains(PATTERN).sum()) >= MOSTLY * len(present)


def held_bytes(values: pl.Series) -> pl.Series | None:
    """The bytes that a column holds, itself or, as data sets of Hugging Face have it, in a field ``bytes``."""
    import polars as pl

    if values.dtype == pl.Binary:
        return values
    fields = {f.name: f.dtype for f in values.dtype.fields} if isinstance(values.dtype, pl.Struct) else {}
    return values.struct.field("bytes") if fields.get("bytes") == pl.Binary else None


def cells(values: pl.Series) -> list[Any]:
    """Images as ``image_files.opened`` takes them: of fields ``bytes`` and ``path`` the bytes, where there are some."""
    import polars as pl

    if isinstance(values.dtype, pl.Array) and not values.null_count():
        return list(values.to_numpy())
    if isinstance(values.dtype, pl.Array):
        import numpy as np

        return [None if each is None else np.asarray(each.to_list(), dtype=np.uint8) for each in values]
    packed = held_bytes(values)
    if isinstance(values.dtype, pl.Struct) and packed is not None:
        named = "path" in (field.name for field in values.dtype.fields)
        paths = values.struct.field("path").to_list() if named else [None] * len(values)
        return [path if raw is None else raw for raw, path in zip(packed.to_list(), paths, strict=True)]
    if values.dtype == pl.String:
        return values.str.strip_chars().to_list()
    return values.to_list()


def _inner(dtype: pl.DataType) -> object:
    while hasattr(dtype, "inner"):
        dtype = dtype.inner  # type: ignore[attr-defined]
    return dtype
