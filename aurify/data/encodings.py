"""Find how the bytes of a text are characters: by its mark, by what they allow, and by what is likely."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Sequence

from aurify.core.errors import AurifyError

BOMS = {  # UTF-32 first: its mark begins as that of UTF-16 does
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def encoding_of(head: bytes, wanted: str | None) -> str:
    """The encoding of a text by its mark, else what is ``wanted``, else what the bytes allow and make likely."""
    for mark, name in BOMS.items():
        if head.startswith(mark):
            return name
    if wanted is not None:
        try:
            "a".encode(wanted)
            return codecs.lookup(wanted).name
        except (LookupError, ValueError):
            raise AurifyError(f"encoding {wanted!r} is not known; such as utf-8, gb18030, cp1252, utf-16") from None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
        return "utf-8"
    except UnicodeDecodeError:
        return other_encoding(head)


def other_encoding(piece: bytes) -> str:
    """Of texts that are not UTF-8: Chinese where the pairs of high bytes are mostly common characters, else Western.

    Western letters with accents stand alone between plain ones; Chinese characters come in runs of pairs, whose first
    byte in the common part of the table (punctuation, level one) is A1 to A9 or B0 to D7. In Big5 it is A1 to C6, and
    two in five of the second bytes are plain ones, which is the case in no common character of GB.
    """
    pairs = re.findall(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]", piece)
    common = sum((0xA1 <= p[0] <= 0xA9 or 0xB0 <= p[0] <= 0xD7) and p[1] >= 0xA1 for p in pairs)
    if common > 0.7 * len(pairs):
        try:
            codecs.getincrementaldecoder("gb18030")().decode(piece)
            return "gb18030"
        except UnicodeDecodeError:
            pass
    if _is_big5(pairs):
        try:
            codecs.getincrementaldecoder("big5hkscs")().decode(piece)
            return "big5hkscs"
        except UnicodeDecodeError:
            pass
    try:
        piece.decode("cp1252")
        return "cp1252"
    except UnicodeDecodeError:
        return "latin-1"


def _is_big5(pairs: Sequence[bytes]) -> bool:
    common = [0xA1 <= p[0] <= 0xC6 and (p[1] < 0x7F or p[1] >= 0xA1) for p in pairs]
    plain = sum(p[1] < 0x7F for p in pairs)
    return len(pairs) > 3 and sum(common) > 0.9 * len(pairs) and 0.1 * len(pairs) < plain < 0.7 * len(pairs)


SURE_BYTES = 40
"""High bytes of a text from which its encoding can be told; of fewer it is taken to be that of the texts beside it."""

WESTERN, MOST_ACCENTS = ("cp1252", "latin-1"), 0.3
"""Encodings of Western letters, and the share of accents that no Western text exceeds: more of them are of another."""


def decoded(raws: Sequence[bytes], names: Sequence[str], wanted: str | None) -> tuple[list[str], Counter[str]]:
    """Texts of files that belong together, each in an encoding of its own, and how many are in which.

    Line ends become ``\\n``. Raises AurifyError naming the file that holds no text, or none in the ``wanted`` encoding.
    """
    found = [encoding_of(raw, wanted) for raw in raws]
    odd = [at for at, name in enumerate(found) if name not in ("utf-8", *BOMS.values())] if wanted is None else []
    high = {at: len(raws[at]) - len(raws[at].translate(None, bytes(range(128, 256)))) for at in odd}
    votes: Counter[str] = Counter()
    for at in odd:
        votes[found[at]] += high[at]
    usual = votes.most_common(1)[0][0] if votes else ""
    counts: Counter[str] = Counter()
    texts = []
    for at, raw in enumerate(raws):
        few = high.get(at, SURE_BYTES) < SURE_BYTES
        mostly = found[at] in WESTERN and high.get(at, 0) > MOST_ACCENTS * len(raw)
        tried = [usual] if (few or mostly) and usual != found[at] else []
        text, name = _decoded(raw, [*tried, found[at], *([] if wanted else ["latin-1"])], names[at])
        if "\0" in text:
            raise AurifyError(
                f"{names[at]} is not a text file: it holds NUL bytes; take it out, or say --encoding utf-16-le"
            )
        texts.append(text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n"))
        counts[name] += 1
    return texts, counts


def _decoded(raw: bytes, encodings: Sequence[str], name: str) -> tuple[str, str]:
    for encoding in encodings:
        try:
            return raw.decode(encoding), encoding
        except UnicodeError:
            continue
    raise AurifyError(f"{name} cannot be read as {encodings[-1]}; say which with --encoding")
