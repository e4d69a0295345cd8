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

MARKS_BETWEEN = re.compile(r"(?<=[^\W\d_])[\s_.\-\u2010-\u2015'\u2019]+(?=[^\W\d_])|(?<=[^\W\d_])\.$")
"""Blanks and marks between letters; beside digits and signs they mean something: 1-2, A+."""


def folded(text: str) -> str:
    """One spelling for texts that differ only in case, width, blanks and marks between letters."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = re.sub("[\u200b\u2060\ufeff\u00ad]", "", plain)
    return MARKS_BETWEEN.sub("", re.sub(r"\s+", " ", plain)).strip()


def spelt_twice(rows: Mapping[str, int]) -> list[list[str]]:
    """Texts that are one when folded, each group's most frequent first."""
    groups: dict[str, list[str]] = defaultdict(list)
    for text in rows:
        groups[folded(text)].append(text)
    several = [sorted(group, key=lambda t: (-rows[t], t)) for group in groups.values() if len(group) > 1]
    return [g for g in several if len(folded(g[0])) > 1 or all(rows[g[0]] >= SINGLE * rows[other] for other in g[1:])]


def mistyped(rows: Mapping[str, int]) -> list[list[str]]:
    """A frequent text and rare ones that are it but for one letter, left out, added, changed or swapped.

    Where frequent texts are as near to one another the words are dense, and none is a slip.
    """
    words = [text for text in rows if sum(map(str.isalpha, text)) >= LEAST_LETTERS and text.isascii()]
    if not 1 < len(words) <= MOST_WORDS:
        return []
    keys: dict[str, list[str]] = defaultdict(list)
    for word in words:
        lower = word.casefold()
        for key in {lower, *(lower[:at] + lower[at + 1 :] for at in range(len(lower)))}:
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


def _one_slip(one: str, other: str) -> bool:
    """Whether two texts differ in one letter within a word of several, or in two neighbours that are swapped."""
    if one == other or abs(len(one) - len(other)) > 1:
        return False
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    end = 0
    while end < min(len(one), len(other)) - start and one[-1 - end] == other[-1 - end]:
        end += 1
    middle, against = one[start : len(one) - end], other[start : len(other) - end]
    swapped = len(middle) == 2 and middle == against[::-1]
    if not swapped and max(len(middle), len(against)) > 1:
        return False
    if not (middle + against).isalpha():
        return False
    return all(_in_a_word(text, start, len(text) - end) for text in (one, other))


def _in_a_word(text: str, start: int, stop: int) -> bool:
    """Whether what differs stands within a word of letters, of which some are left: not the B of Type B."""
    first = max((at + 1 for at in range(start) if not text[at].isalpha()), default=0)
    last = next((at for at in range(stop, len(text)) if not text[at].isalpha()), len(text))
    return last - first >= LEAST_LETTERS - 1
