"""Pretrained word vectors: word2vec files (text and binary), fastText's .vec and GloVe's .txt, read as a stream."""

# V words of the vocabulary, E numbers of a vector

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from aurify.core.errors import AurifyError

WIDEST = 4096
"""Numbers of a vector; word vectors in use have 25 to 1,024."""

LINE_BYTES = 2**20
WORD_BYTES = 4096
BLOCK_BYTES = 2**20
HEADER = re.compile(rb"\s*(\d{1,20})[ \t]+(\d{1,20})\s*")
FORMS = "word2vec (text or binary), fastText .vec and GloVe .txt files can be read"
STRANGE = {
    b"\xba\x16\x4f\x2f": "is a fastText model; take the .vec file that belongs to it",
    b"PK\x03\x04": "is a zip archive; unpack it and give the file in it",
    b"\x80": "is a pickle, which can run any code; save the vectors in the word2vec format",
    b"\x93NUMPY": "is an array without words; save the vectors in the word2vec format",
}


@dataclass(frozen=True)
class _Layout:
    """Vectors of ``width`` numbers, ``count`` of them where a header says so, from byte ``start`` on."""

    width: int
    count: int | None
    start: int
    binary: bool


def width_of(path: str) -> int:
    """How many numbers each vector of a file has; raises AurifyError for what is no file of word vectors."""
    with _opened(path) as file:
        return _layout(path, file).width


def vectors_of(path: str, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The places (M,) of those ``words`` (V,) that a file has, and their vectors (M, E) float32.

    A word is found as it is written or, failing that, in lower case; of a word that is there twice the first counts.
    The file is read once from beginning to end and only what is wanted is kept. Raises AurifyError in one line for a
    file that is damaged, cut off or has none of the words.
    """
    wanted = {form.encode(errors="replace") for word in words if word for form in (word, word.lower())}
    found: dict[bytes, np.ndarray] = {}
    with _opened(path) as file:
        layout = _layout(path, file)
        file.seek(layout.start)
        records = _binary_records if layout.binary else _text_records
        for word, vector in records(path, file, layout, wanted):
            found.setdefault(word, vector)
    return _placed(path, words, found)


def _placed(path: str, words: Sequence[str], found: Mapping[bytes, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    places, vectors = [], []
    for at, word in enumerate(words):
        forms = (form.encode(errors="replace") for form in (word, word.lower()))
        vector = next((found[form] for form in forms if form in found), None)
        if vector is not None:
            places.append(at)
            vectors.append(vector)
    if not places:
        some = ", ".join(repr(word) for word in words[4:7])
        raise AurifyError(
            f"{path} has a vector for none of the {len(words):,} words of the texts (such as {some}); are its words of"
            " another language, or longer or shorter than the tokens?"
        )
    return np.array(places, dtype=np.int64), np.stack(vectors)


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    """A file, unpacked where it is packed; what goes wrong in reading it is said in one line."""
    place = Path(path).expanduser()
    if not place.is_file():
        raise AurifyError(f"vectors = {path!r} is not a file; {FORMS}")
    try:
        with ExitStack() as opened:
            file = opened.enter_context(place.open("rb"))
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            yield cast(BinaryIO, opened.enter_context(gzip.GzipFile(fileobj=file))) if packed else file
    except (OSError, EOFError, zlib.error) as error:
        raise AurifyError(f"{path} cannot be read ({error}); fetch the word vectors again") from None


def _layout(path: str, file: BinaryIO) -> _Layout:
    first, second = file.readline(LINE_BYTES), file.readline(LINE_BYTES)
    for start, words in STRANGE.items():
        if first.startswith(start):
            raise AurifyError(f"{path} {words}; {FORMS}")
    header = HEADER.fullmatch(first)
    if header is None:
        width = _trailing_numbers(first)
        _require_width(path, width, f"its first line is no word with numbers after it; {FORMS}")
        return _Layout(width, None, 0, binary=False)
    count, width = map(int, header.groups())
    _require_width(path, width, f"its header says {count} words of {width} numbers; the file is damaged")
    binary = len(second.rsplit(None, width)) != width + 1 or not _numbers(second.split()[-width:])
    _require_size(path, file, count, width, binary)
    return _Layout(width, count, len(first), binary)


def _require_width(path: str, width: int, otherwise: str) -> None:
    if not 1 <= width <= WIDEST:
        raise AurifyError(f"{path} has vectors of {width} numbers, allowed are 1 to {WIDEST}: {otherwise}")


def _require_size(path: str, file: BinaryIO, count: int, width: int, binary: bool) -> None:
    """A header that promises more than the file can hold is refused before anything is read."""
    if isinstance(file, gzip.GzipFile):
        return
    size = Path(path).expanduser().stat().st_size
    least = count * (width * (4 if binary else 2) + 1)
    if least > size:
        raise AurifyError(
            f"{path} is damaged: {count:,} words of {width} numbers, as its header says, need {least:,} bytes and it"
            f" has {size:,}; fetch the word vectors again"
        )


def _trailing_numbers(line: bytes) -> int:
    """How many numbers stand after the first word of a line."""
    fields = line.split()[1:]
    return len(fields) if _numbers(fields) else 0


def _numbers(fields: Sequence[bytes]) -> list[float] | None:
    try:
        return [float(field) for field in fields]
    except ValueError:
        return None


def _text_records(path: str, file: BinaryIO, layout: _Layout, wanted: set[bytes]) -> Iterator[tuple[bytes, np.ndarray]]:
    read = 0
    while line := file.readline(LINE_BYTES):
        if len(line) == LINE_BYTES:
            raise AurifyError(f"{path} is damaged: line {read + 1} has more than {LINE_BYTES:,} bytes")
        if line.isspace():
            continue
        read += 1
        word = line.split(None, 1)[0]
        if word not in wanted:
            continue
        fields = line.split()[1:]
        if len(fields) > layout.width and _numbers(fields[: -layout.width]) is None:
            continue  # a word with a space in it, which begins as one of ours
        values = _numbers(fields)
        if values is None or len(values) != layout.width:
            raise AurifyError(
                f"{path} is damaged: {_shown(word)} is not followed by {layout.width} numbers as others are"
            )
        yield word, _finite(path, word, np.array(values, dtype=np.float64))
    _require_all(path, read, layout.count)


def _binary_records(
    path: str, file: BinaryIO, layout: _Layout, wanted: set[bytes]
) -> Iterator[tuple[bytes, np.ndarray]]:
    size, held, at = 4 * layout.width, b"", 0
    for read in range(layout.count or 0):
        gap = held.find(b" ", at)
        while gap < 0 or gap + 1 + size > len(held):
            if gap < 0 and len(held) - at > WORD_BYTES:
                raise AurifyError(f"{path} is damaged: word {read + 1:,} has more than {WORD_BYTES:,} bytes; {FORMS}")
            more = file.read(BLOCK_BYTES)
            if not more:
                _require_all(path, read, layout.count)
            held, at = held[at:] + more, 0
            gap = held.find(b" ", at)
        word, at = held[at:gap].lstrip(b"\n"), gap + 1 + size
        if word in wanted:
            yield word, _finite(path, word, np.frombuffer(held, dtype="<f4", count=layout.width, offset=gap + 1))


def _finite(path: str, word: bytes, vector: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        vector = vector.astype(np.float32)
    if not np.isfinite(vector).all():
        raise AurifyError(f"{path} is damaged: the vector of {_shown(word)} has numbers that are not finite")
    return vector


def _require_all(path: str, read: int, count: int | None) -> None:
    if count is not None and read < count:
        raise AurifyError(
            f"{path} is cut off: its header says {count:,} words and it has {read:,}; fetch the word vectors again"
        )


def _shown(word: bytes) -> str:
    return repr(word[:40].decode(errors="replace"))
