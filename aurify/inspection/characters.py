"""Characters that a text should not hold: letters read in the wrong encoding, invisible ones, entities of HTML."""

from __future__ import annotations

import re

INVISIBLE = "[\u200b\u2060\ufeff\u00ad\u200e\u200f\u202a-\u202e\u2066-\u2069\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
"""No width, no mark on paper; joiners (U+200C, U+200D) are left alone: Persian, Hindi and emoji need them."""

LOST = "\ufffd"
BLANKS = "[\u00a0\u2007\u202f\u2000-\u2006\u2008-\u200a\u205f]"
WIDE = "[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\u3000]"
ENTITY = r"&(?:amp|lt|gt|quot|nbsp|apos|eacute|egrave|uuml|ouml|auml|#\d{2,5}|#x[0-9a-fA-F]{2,5});"

LATIN = (
    r"[\u00c2-\u00f4][\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a"
    r"\u20ac\u2122]+"
)
"""What the two to four bytes of one UTF-8 character look like in Latin-1 or Windows-1252."""

HIGH = "[\u00a1-\u00fe]{4,}"
"""A run of Western letters with accents as no Western word has, which Chinese in GBK looks like in Latin-1."""

CHINESE = "[\u4e00-\u9fff\ue000-\uf8ff\u20ac]{2,}"
SUSPECT = "|".join((LATIN, HIGH, CHINESE))


def mended(text: str) -> str | None:
    """The text as it was meant, where its bytes were read in another encoding than they were written in."""
    latin = re.sub(LATIN, lambda found: _as_utf8(found[0]), text)
    if latin != text:
        return latin
    pairs = re.sub(HIGH, lambda found: _as_gbk(found[0]), text)
    if pairs != text:
        return pairs
    return _from_gbk(text)


def _as_utf8(run: str) -> str:
    raw = b"".join(_western(letter) for letter in run)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return run


def _western(letter: str) -> bytes:
    """The byte of a letter in Windows-1252, or in Latin-1 where that has none."""
    try:
        return letter.encode("cp1252")
    except UnicodeEncodeError:
        return letter.encode("latin-1", errors="replace")


def _as_gbk(run: str) -> str:
    """Common Chinese characters whose bytes these Western letters are; of one sign again and again nothing is made."""
    if len(set(run)) < 3:
        return run
    try:
        chinese = run.encode("latin-1").decode("gb2312")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return run
    return chinese if re.fullmatch("[\u4e00-\u9fff]+", chinese) else run


def _from_gbk(text: str) -> str | None:
    """What was UTF-8 and was read as GBK: every character must be whole again, which chance seldom makes."""
    try:
        meant = text.encode("gb18030").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return None
    return meant if meant != text and re.search("[\u4e00-\u9fff]{2}", meant) else None


def escaped(text: str) -> str:
    """As it looks in code, with what cannot be seen or told apart spelt out: ``Caf\\u00c3\\u00a9``."""
    return "".join(letter if letter.isascii() and letter.isprintable() else _code(letter) for letter in text)


def _code(letter: str) -> str:
    return f"\\u{ord(letter):04x}" if ord(letter) < 0x10000 else f"\\U{ord(letter):08x}"
