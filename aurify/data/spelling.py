"""Which texts are probably one spelt in several ways."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

FEW, FEW_SHARE = 5, 0.02
"""Rows that a slip of the finger has: at most so many, or this share of those that are spelt right."""

TIMES = 10
LONG = 4
"""Letters of a word below which another letter may well make another word."""

MOST_COMPARED = 300
LOOK_ALIKE = str.maketrans({"0": "o", "1": "l", "i": "l", "5": "s"})
"""Digits that are taken for letters."""


def plain_spelling(text: str) -> str:
    """What is left of a text where width, case, blanks, marks between letters and a last dot do not count.

    >>> plain_spelling(" Ｙｅｓ. "), plain_spelling("very_Good"), plain_spelling("1-2")
    ('yes', 'very good', '1-2')
    """
    text = unicodedata.normalize("NFKC", text).casefold().strip(" \t\"'`")
    text = re.sub(r"(?<=[^\W\d_])[\s_-]+(?=[^\W\d_])", " ", text)
    return " ".join(text.split()).rstrip(". ") or text


def same_but_for_spelling(rows: Mapping[str, int]) -> list[list[str]]:
    """Groups of texts that are one, the most frequent spelling first; ``rows`` says how many rows hold each."""
    groups: dict[str, list[str]] = {}
    for text in sorted(rows, key=lambda text: (-rows[text], text)):
        groups.setdefault(plain_spelling(text), []).append(text)
    totals = {key: sum(rows[text] for text in group) for key, group in groups.items()}
    if len(groups) <= MOST_COMPARED:
        for key in sorted(groups, key=lambda key: totals[key]):
            right = _meant(key, totals)
            if right is not None:
                groups[right] += groups.pop(key)
                totals[right] += totals.pop(key)
    return [group for group in groups.values() if len(group) > 1]


def _meant(key: str, totals: Mapping[str, int]) -> str | None:
    """The frequent spelling that a rare one is a slip of, where there is a single one."""
    count = totals[key]
    near = [
        other
        for other, rows in totals.items()
        if other != key and count <= max(FEW, FEW_SHARE * rows) and rows >= TIMES * count and _slip(key, other)
    ]
    return near[0] if len(near) == 1 else None


def _slip(one: str, other: str) -> bool:
    """Whether texts differ by a digit taken for a letter, or by one letter of a long word."""
    letters = any(c.isalpha() for c in one) and any(c.isalpha() for c in other)
    if letters and len(one) > 1 and one.translate(LOOK_ALIKE) == other.translate(LOOK_ALIKE):
        return True
    words, others = one.split(), other.split()
    if len(words) != len(others):
        return False
    apart = [(a, b) for a, b in zip(words, others, strict=True) if a != b]
    return len(apart) == 1 and min(map(len, apart[0])) >= LONG and _one_letter(*apart[0])


def _one_letter(one: str, other: str) -> bool:
    """Whether a letter was changed, added, left out or swapped with the next; digits tell things apart."""
    if any(c.isdigit() for c in one + other):
        return False
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    swapped = len(a) > 1 and len(b) > 1 and (a[0], a[1]) == (b[1], b[0]) and a[2:] == b[2:]
    return swapped or a[1:] == b[1:] or a[1:] == b or a == b[1:]


def shown_pairs(groups: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    """Each other spelling with the most frequent one of its group."""
    return [(other, group[0]) for group in groups for other in group[1:]]
