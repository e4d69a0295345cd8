"""Find how the bytes of a text are characters: by its mark, by what they allow, and by what is likely."""

from __future__ import annotations

import codecs
import re

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
    byte in the common part of the table (punctuation, level one) is A1 to A9 or B0 to D7.
    """
    pairs = re.findall(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]", piece)
    common = sum((0xA1 <= p[0] <= 0xA9 or 0xB0 <= p[0] <= 0xD7) and p[1] >= 0xA1 for p in pairs)
    if common > 0.7 * len(pairs):
        try:
            codecs.getincrementaldecoder("gb18030")().decode(piece)
            return "gb18030"
        except UnicodeDecodeError:
            pass
    try:
        piece.decode("cp1252")
        return "cp1252"
    except UnicodeDecodeError:
        return "latin-1"
