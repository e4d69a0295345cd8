"""Texts that are probably one: spelt alike but for case, blanks, width and marks, or for one letter."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping

RARE = 20
"""How many times more rows the right spelling must have than one that differs in a letter."""

LEAST_LETTERS = 5
"""Letters below which words that differ in one are words of their own: Iran and Iraq."""

SINGLE = 10
"""How many times more rows one of m and M must have, which as codes may well be two."""

MOST_WORDS = 3000
"""Different texts beyond which one letter is no longer looked at."""

LOOK_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s"})
"""Digits that are taken for letters."""

UNSEEN = re.compile("[\u200b\u2060\ufeff\u00ad\"'`]")
BESIDE_SIGNS = re.compile(r"\s+(?=[^\w\s])|(?<=[^\w\s])\s+")
MARKS_BETWEEN = re.compile(r"(?<=[^\W\d_])[\s_.\-\u2010-\u2015'\u2019]+(?=[^\W\d_])")
"""Blanks and marks between letters; beside digits and signs marks mean something: 1-2, A+."""


def folded(text: str) -> str:
    """One spelling for texts that differ only in case, width, quotes, blanks, a last dot and marks between letters.

    >>> folded(" Ｙｅｓ. "), folded("very_Good"), folded("> 50K."), folded("1-2"), folded("...")
    ('yes', 'verygood', '>50k', '1-2', '...')
    """
    plain = UNSEEN.sub("", unicodedata.normalize("NFKC", text).casefold())
    plain = MARKS_BETWEEN.sub("", BESIDE_SIGNS.sub("", " ".join(plain.split())))
    return plain.rstrip(". ") if any(map(str.isalpha, plain)) else plain


def spelt_twice(rows: Mapping[str, int]) -> list[list[str]]:
    """Texts that are one when folded, each group's most frequent first."""
    groups: dict[str, list[str]] = defaultdict(list)
    for text in rows:
        groups[folded(text)].append(text)
    several = [sorted(group, key=lambda t: (-rows[t], t)) for group in groups.values() if len(group) > 1]
    return [g for g in several if len(folded(g[0])) > 1 or all(rows[g[0]] >= SINGLE * rows[other] for other in g[1:])]


def mistyped(rows: Mapping[str, int]) -> list[list[str]]:
    """A frequent text and rare ones that are it but for one letter, left out, added, changed or swapped, or a digit.

    Where frequent texts are as near to one another the words are dense, and none is a slip. No more than a guess: two
    names may well be as near, one of them rare.
    """
    if not 1 < len(rows) <= MOST_WORDS:
        return []
    keys: dict[str, list[str]] = defaultdict(list)
    for word in rows:
        for key in _keys(word):
            keys[key].append(word)
    pairs = {
        (a, b)
        for near in keys.values()
        for a in near
        for b in near
        if rows[a] < rows[b] or (rows[a] == rows[b] and a < b)
    }
    near = [(rare, right) for rare, right in sorted(pairs) if _one_slip(rare.casefold(), right.casefold())]
    slips = [(rare, right) for rare, right in near if rows[right] >= RARE * rows[rare]]
    if len(near) - len(slips) > len(slips) / 3:
        return []
    found: dict[str, list[str]] = defaultdict(list)
    for rare in sorted({rare for rare, _ in slips}):
        found[max((right for other, right in slips if other == rare), key=lambda right: rows[right])].append(rare)
    return [[right, *rare] for right, rare in found.items() if right not in {r for r, _ in slips}]


def _keys(word: str) -> set[str]:
    """What texts share that may be slips of one another; a pair of texts is looked at where they share one."""
    lower = word.casefold()
    if not word.isascii() or not any(map(str.isalpha, word)):
        return set()
    keys = {f"\0{lower.translate(LOOK_ALIKE)}"} if len(word) > 1 else set()
    if sum(map(str.isalpha, word)) >= LEAST_LETTERS:
        keys |= {lower, *(lower[:at] + lower[at + 1 :] for at in range(len(lower)))}
    return keys


def _one_slip(rare: str, right: str) -> bool:
    """Whether texts differ in one letter in a word of several, in two neighbours swapped, or by digits for letters."""
    if rare == right or abs(len(rare) - len(right)) > 1:
        return False
    if rare.translate(LOOK_ALIKE) == right.translate(LOOK_ALIKE):
        return any(map(str.isdigit, rare)) and not any(map(str.isdigit, right))
    start = next((at for at, (a, b) in enumerate(zip(rare, right, strict=False)) if a != b), min(len(rare), len(right)))
    end = 0
    while end < min(len(rare), len(right)) - start and rare[-1 - end] == right[-1 - end]:
        end += 1
    middle, against = rare[start : len(rare) - end], right[start : len(right) - end]
    swapped = len(middle) == 2 and middle == against[::-1]
    if not swapped and max(len(middle), len(against)) > 1:
        return False
    if not (middle + against).isalpha():
        return False
    return all(_in_a_word(text, start, len(text) - end) for text in (rare, right))


def _in_a_word(text: str, start: int, stop: int) -> bool:
    """Whether what differs stands within a word of letters, of which some are left: not the B of Type B."""
    first = max((at + 1 for at in range(start) if not text[at].isalpha()), default=0)
    last = next((at for at in range(stop, len(text)) if not text[at].isalpha()), len(text))
    return last - first >= LEAST_LETTERS - 1
