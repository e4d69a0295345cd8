"""One image, of a file, of its bytes or in memory: found by its first bytes, measured before it is decoded."""

from __future__ import annotations

import io
import os
import stat
import struct
from functools import cache
from typing import Any

import numpy as np

from aurify.core.words import Said, said
from aurify.data.image_cells import MAGIC, SUFFIXES

MOST_PIXELS = 2**26
"""Of one image, before it is decoded."""

MOST_BYTES = 2**28
"""Of one file."""

ORIENTATION = 0x0112
SIDEWAYS = (5, 6, 7, 8)
ABOUT_EXIF = ("exif", "xmp", "XML:com.adobe.xmp", "Raw profile type exif")
"""What a file may say in of how the camera was held, as Pillow calls it."""

OTHERS = {b"%PDF": "PDF", b"%!PS": "PostScript", b"\xc5\xd0\xd3\xc6": "EPS", b"<svg": "SVG", b"8BPS": "Photoshop"}
"""What is no picture of points, or not one that is safe to open; never opened."""


class NoImageError(Exception):
    """Why there is no image to be had, in a few words."""

    def __init__(self, reason: Said):
        super().__init__(reason)
        self.reason = reason


def reason_of(error: Exception) -> Said:
    """What is wrong with an image, in a few words."""
    if isinstance(error, NoImageError):
        return error.reason
    if isinstance(error, FileNotFoundError):
        return said("there is no such file")
    if isinstance(error, OSError) and error.strerror:
        return said("it cannot be read: {error}", error=error.strerror)
    if isinstance(error, MemoryError):
        return said("it does not fit into memory")
    what = str(error).splitlines()[0] if str(error) else type(error).__name__
    return said("it is damaged: {error}", error=what)


def opened(value: Any, folder: str | None = None) -> Any:
    """The Pillow image of a path, of bytes or of an array (H, W), (H, W, C); of files no pixel is decoded yet.

    A path is looked for in ``folder`` and then where we are. Raises NoImageError, OSError, and whatever a reader of
    damaged files raises.
    """
    if value is None or (isinstance(value, str) and not value):
        raise NoImageError(said("there is no image"))
    if isinstance(value, np.ndarray):
        return _of_array(value)
    raw = value if isinstance(value, bytes) else _bytes_at(str(value), folder)
    if raw.startswith(b"RIFF"):
        _require_few(*_webp_size(raw))  # its reader makes room for all pixels when it opens
    image = _readers()[_format_of(raw)](io.BytesIO(raw))
    _require_few(*image.size)
    return image


def _of_array(value: np.ndarray) -> Any:
    from PIL import Image

    flat = value[..., 0] if value.ndim == 3 and value.shape[2] == 1 else value
    _require_few(*flat.shape[1::-1])
    return Image.fromarray(np.ascontiguousarray(flat))


def _require_few(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        what = said("it has {pixels:,} pixels; at most {most:,} are read", pixels=width * height, most=MOST_PIXELS)
        raise NoImageError(what)
    if width * height == 0:
        raise NoImageError(said("it has no pixels"))


def _format_of(raw: bytes) -> str:
    """Which of the readers reads it. Raises NoImageError for everything else."""
    for magic, name in MAGIC.items():
        if raw.startswith(magic) and (name != "WEBP" or raw[8:12] == b"WEBP"):
            return name
    if not raw:
        raise NoImageError(said("it is empty"))
    other = next((name for magic, name in OTHERS.items() if raw.lstrip()[:4].startswith(magic)), None)
    if other is not None:
        raise NoImageError(said("it is {kind}, which is not read", kind=other))
    raise NoImageError(said("it is no JPEG, PNG, BMP, GIF, WebP or TIFF"))


def of_image(path: str) -> bool:
    """Whether a file is called as images are or, where its name says nothing, begins as they do."""
    suffix = os.path.splitext(path)[1].lower()  # noqa: PTH122
    if suffix:
        return suffix in SUFFIXES
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(8).startswith(tuple(MAGIC))
    except OSError:
        return False


@cache
def _readers() -> dict[str, Any]:
    """Each format's own reader: no other one is ever tried."""
    from PIL import (
        BmpImagePlugin,
        GifImagePlugin,
        JpegImagePlugin,
        PngImagePlugin,
        TiffImagePlugin,
        WebPImagePlugin,
    )

    return {
        "JPEG": JpegImagePlugin.JpegImageFile,
        "PNG": PngImagePlugin.PngImageFile,
        "BMP": BmpImagePlugin.BmpImageFile,
        "GIF": GifImagePlugin.GifImageFile,
        "WEBP": WebPImagePlugin.WebPImageFile,
        "TIFF": TiffImagePlugin.TiffImageFile,
    }


def _webp_size(raw: bytes) -> tuple[int, int]:
    """Width and height as the first chunk says; 1, 1 where it says nothing."""
    kind, body = raw[12:16], raw[20:30]
    if len(body) < 10:
        return 1, 1
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", body[6:10])
    return width & 0x3FFF, height & 0x3FFF


def _bytes_at(path: str, folder: str | None) -> bytes:
    """All of a file; raises NoImageError for what is none, or too large."""
    if "\0" in path:
        raise NoImageError(said("there is no such file"))
    if "://" in path:
        raise NoImageError(said("it is not on this machine: fetch it first"))
    places = [path] if folder is None or os.path.isabs(path) else [f"{folder}/{path}", path]  # noqa: PTH117
    places += [each.replace("\\", "/") for each in places if "\\" in each]
    for at, place in enumerate(places, 1):
        try:
            file = os.open(place, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        except (FileNotFoundError, NotADirectoryError):
            if at == len(places):
                raise
            continue
        try:
            return _all_of(file)
        finally:
            os.close(file)
    raise AssertionError("a path has a place")


def _all_of(file: int) -> bytes:
    about = os.fstat(file)
    if stat.S_ISDIR(about.st_mode):
        raise NoImageError(said("it is a folder"))
    if not stat.S_ISREG(about.st_mode):
        raise NoImageError(said("it is no file"))
    if about.st_size > MOST_BYTES:
        raise NoImageError(
            said("it has {size:,} bytes; at most {most:,} are read", size=about.st_size, most=MOST_BYTES)
        )
    pieces = [os.read(file, about.st_size)]
    while pieces[-1] and sum(map(len, pieces)) < about.st_size:  # a network's disk may give less than was asked for
        pieces.append(os.read(file, about.st_size))
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def orientation(image: Any) -> int:
    """How the camera was held, 1 to 8 as EXIF numbers it; 1 where nothing or nonsense is said.

    Pillow turns TIFF files itself.
    """
    if image.format == "TIFF" or not any(key in image.info for key in ABOUT_EXIF):
        return 1
    try:
        found = image.getexif().get(ORIENTATION, 1)
    except Exception:  # of what is beside the pixels nothing depends
        return 1
    return found if found in range(1, 9) else 1


def about(value: Any, folder: str | None = None) -> tuple[int, int, bool] | None:
    """Width, height and whether it is gray; None where it is not readable."""
    try:
        image = opened(value, folder)
    except Exception:  # decoders fail in many ways
        return None
    width, height = image.size[::-1] if orientation(image) in SIDEWAYS else image.size
    return width, height, image.mode in ("1", "L", "LA", "La", "I", "F") or image.mode.startswith("I;16")
