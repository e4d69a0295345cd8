"""A text as pieces that people read, words above all, also Chinese ones; how anybody's text is made harmless."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from itertools import groupby

from aurify.data.segmenting import segmenter

Span = tuple[int, int]
"""Where a piece begins and where it ends in its text, in characters."""

SPACE, UNSPACED, WORD, SIGN = "space", "unspaced", "word", "sign"

RANGES = ((0x2E80, 0x2FDF), (0x3005, 0x3007), (0x3021, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF))
RANGES += ((0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF))
"""Characters of scripts without blanks between words: Chinese, and what Japanese has beside it."""

INSIDE = "'\u2019-_"
"""Signs that stand within words: don't, well-known."""

TURNING = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}
"""Characters that turn the direction of what follows them, and could turn a whole page."""

UNSEEN = {0xAD, 0x200B, 0x2060, 0xFEFF, *range(0xE0000, 0xE0080), *TURNING}


def spans(text: str) -> list[Span]:
    """Every word and every run of other signs, in order; what is blank lies between them.

    Chinese is cut by jieba where that is installed, else into single characters.
    """
    found: list[Span] = []
    for kind, start, end in _runs(text):
        if kind == UNSPACED:
            at = start
            for word in _chinese()(text[start:end]):
                found.append((at, at + len(word)))
                at += len(word)
        elif kind != SPACE:
            found.append((start, end))
    return found


def grouped(pieces: Sequence[Span], most: int) -> list[Span]:
    """At most so many pieces: neighbours together, each as many as the others."""
    size = -(-len(pieces) // max(1, most))
    return [(pieces[at][0], pieces[min(at + size, len(pieces)) - 1][1]) for at in range(0, len(pieces), size or 1)]


def words(text: str) -> set[str]:
    """The different words of a text in small letters; of Chinese without jieba pairs of characters."""
    found: set[str] = set()
    small = text.lower()
    for kind, start, end in _runs(small):
        run = small[start:end]
        if kind == WORD:
            found.add(run)
        elif kind == UNSPACED and _has_jieba():
            found.update(_chinese()(run))
        elif kind == UNSPACED:
            found.update(run[at : at + 2] for at in range(max(1, len(run) - 1)))
    return found


def visible(text: str) -> str:
    """A text as it may stand in a page: what nobody sees, or what turns the page around, is named by its number.

    >>> visible("a\\x00b\\u202ec")
    'a\u2400b\u27e8U+202E\u27e9c'
    """
    return "".join(map(_visible, text.replace("\r\n", "\n")))


def shortened(text: str, most: int) -> str:
    """On one line, and with three dots where there is more of it."""
    line = " ".join(visible(text[: 4 * most]).split())
    return line if len(line) <= most and len(text) <= 4 * most else line[: most - 1].rstrip() + "\u2026"


def _visible(character: str) -> str:
    code = ord(character)
    if code in UNSEEN:
        return f"\u27e8U+{code:04X}\u27e9"
    if character in "\n\t":
        return character
    if code < 0x20:
        return chr(0x2400 + code)
    return "\u2421" if code == 0x7F else "\ufffd" if 0x80 <= code < 0xA0 or 0xD800 <= code < 0xE000 else character


def _runs(text: str) -> Iterator[tuple[str, int, int]]:
    """Neighbours of one kind: the kind, where they begin and where they end."""
    kinds: list[str] = []
    for at, character in enumerate(text):
        kind = _kind(character)
        if kind is None:  # a sign that belongs to the character before it
            kind = SIGN if not kinds or kinds[-1] == SPACE else kinds[-1]
        elif kind == SIGN and kinds and kinds[-1] == WORD and _within(text[at - 1], character, text[at + 1 : at + 2]):
            kind = WORD
        kinds.append(kind)
    for kind, members in groupby(range(len(kinds)), kinds.__getitem__):
        places = list(members)
        yield kind, places[0], places[-1] + 1


def _within(before: str, sign: str, after: str) -> bool:
    """Whether a sign stands within a word or a number: don't, well-known, 3.5."""
    if sign in INSIDE:
        return after != "" and _kind(after) == WORD
    return sign in ".," and before.isdigit() and after.isdigit()


def _kind(character: str) -> str | None:
    code = ord(character)
    if code >= RANGES[0][0] and any(low <= code <= high for low, high in RANGES):
        return UNSPACED
    if character.isspace():
        return SPACE
    category = unicodedata.category(character)
    if category[0] == "M" or category == "Cf":
        return None
    return WORD if category[0] in "LN" else SIGN


def _chinese() -> Callable[[str], list[str]]:
    """What cuts Chinese into words."""
    return segmenter((), hmm=True).cut if _has_jieba() else list


@cache
def _has_jieba() -> bool:
    return find_spec("jieba") is not None
