"""Words by a pattern: letters and digits between blanks, with signs as words of their own."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache

from aurify.core.errors import AurifyError

LONGEST_WORD = 64
"""Characters after which a run of letters is cut: a page without a blank is not one word."""

ALONE = "\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Chinese characters and kana stand alone: nothing parts the words of these scripts."""


@cache
def _default() -> re.Pattern[str]:
    """A Chinese character or kana; letters and digits with their marks, perhaps with an apostrophe; any other sign."""
    marks = "".join(
        chr(at) for at in range(0x300, min(sys.maxunicode, 0x1FFFF)) if unicodedata.category(chr(at))[0] == "M"
    )
    letter = rf"[^\W{ALONE}][{marks}]*"
    word = rf"(?:{letter}){{1,{LONGEST_WORD}}}"
    return re.compile(rf"[{ALONE}]|{word}(?:['\u2019]{word})?|[^\w\s][{marks}]*")


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """The user's pattern, or the default one for ``""``; raises AurifyError for one that means nothing."""
    if not pattern:
        return _default()
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise AurifyError(f"tokenize.pattern = {pattern!r} is not a regular expression: {error}") from None


def words(texts: Sequence[str], pattern: str = "") -> Iterator[list[str]]:
    """The words of each text: what the pattern finds, the whole of each find."""
    found = compiled(pattern)
    if found.groups:
        return ([match[0] for match in found.finditer(text) if match[0]] for text in texts)
    return ([word for word in found.findall(text) if word] for text in texts)
