"""The n-grams of texts as 64-bit keys: of words, within words, and of characters, as scikit-learn cuts them."""

# N rows, C columns, T code points, G n-grams

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from aurify.data.packed import PRIME, Packed

BLANK = ord(" ")
SCRIPTS = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")
"""First words of the names of letters of scripts that put no blank between words."""

SOME = 0.1
"""Of the letters, from which on the n-grams of a script are worth having."""

LETTERS_SEEN = 1_000_000


@dataclass(frozen=True, eq=False)
class Found:
    """N-grams in any order: in which row (G,) int64 each is, and its key (G,) int64."""

    row: np.ndarray
    key: np.ndarray


def kinds_for(texts: Packed) -> tuple[str, ...]:
    """Which n-grams suit what training rows are written in: ``words`` and ``inner``, or ``characters``, or all."""
    points, counts = np.unique(texts.values[:LETTERS_SEEN], return_counts=True)
    letters = np.array([chr(p).isalpha() for p in points.tolist()], dtype=bool)
    dense = np.array([unicodedata.name(chr(p), "").split(" ")[0] in SCRIPTS for p in points.tolist()], dtype=bool)
    share = counts[letters & dense].sum() / max(1, counts[letters].sum())
    spaced = ("words", "inner") if share < 1 - SOME else ()
    return (*spaced, *(("characters",) if share >= SOME else ()))


def ngrams_of(texts: Packed, kind: str) -> Found:
    """Every n-gram of one kind, small letters for capitals; none reaches from one column of a row into the next.

    ``words``: words and pairs of words; ``inner``: 2 to 5 characters within a word and the blanks around it;
    ``characters``: 1 to 3 characters of anything, with one blank for several. They are those of scikit-learn's
    ``TfidfVectorizer`` with the analyzers ``word`` (``token_pattern=r"\\b\\w+\\b"``), ``char_wb`` and ``char``.
    """
    return FAMILIES[kind](_Text.of(texts))


@dataclass(frozen=True, eq=False)
class _Text:
    """Code points (T,) in small letters, the sequence each is in, and the row of each sequence."""

    points: np.ndarray
    sequence: np.ndarray
    columns: int
    blank: np.ndarray
    wordly: np.ndarray

    @classmethod
    def of(cls, texts: Packed) -> _Text:
        known, place = np.unique(texts.values, return_inverse=True)
        letters = [chr(p).lower()[:1] or " " for p in known.tolist()]
        points = np.array([ord(letter) for letter in letters], dtype=np.int32)
        blank = np.array([letter.isspace() for letter in letters], dtype=bool)
        wordly = np.array([letter.isalnum() or letter == "_" for letter in letters], dtype=bool)
        sequence = np.repeat(np.arange(len(texts.ends) - 1), np.diff(texts.ends))
        return cls(points[place], sequence, texts.columns, blank[place], wordly[place])

    def found(self, sequence: np.ndarray, key: np.ndarray) -> Found:
        return Found(sequence // max(1, self.columns), key.view(np.int64))


def _words(text: _Text) -> Found:
    """Runs of letters, digits and underscores, alone and with the next one of the same text."""
    first = text.wordly & ~_before(text.wordly, text.sequence)
    places = np.flatnonzero(text.wordly)
    if not len(places):
        return text.found(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64))
    starts = np.flatnonzero(first[places])
    place = np.arange(len(places)) - np.repeat(starts, np.diff(np.append(starts, len(places))))
    with np.errstate(over="ignore"):
        powers = np.concatenate([[np.uint64(1)], np.full(int(place.max()), PRIME)]).cumprod(dtype=np.uint64)
        word = np.add.reduceat(powers[place] * _spread(text.points[places]), starts)
        within = text.sequence[places[starts]]
        pair = word[:-1] * PRIME + _mixed(word[1:])
    both = within[:-1] == within[1:]
    return text.found(
        *_merged([(within, _salted(word, "word", 1)), (within[:-1][both], _salted(pair[both], "word", 2))])
    )


def _inner(text: _Text) -> Found:
    """2 to 5 characters of a word with a blank at either end, as ``char_wb`` has them."""
    begins = ~text.blank & (_shifted(text.blank) | ~_same(text.sequence))
    inside = np.flatnonzero(~text.blank)
    if not len(inside):
        return text.found(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64))
    number = np.cumsum(begins)[inside] - 1  # of the word each character is in
    count = int(number[-1]) + 1
    length = np.bincount(number, minlength=count)
    points = np.full(len(inside) + 2 * count, BLANK, dtype=np.int32)
    points[np.arange(len(inside)) + 2 * number + 1] = text.points[inside]
    word = np.repeat(np.arange(count), length + 2)
    sequence = text.sequence[np.flatnonzero(begins)]
    return text.found(*_merged([(sequence[w], k) for w, k in _windows(points, word, range(2, 6), "inner")]))


def _characters(text: _Text) -> Found:
    """1 to 3 characters side by side; of blanks that follow one another the first."""
    kept = np.flatnonzero(~(text.blank & _before(text.blank, text.sequence)))
    points = np.where(text.blank[kept], BLANK, text.points[kept])
    return text.found(*_merged(_windows(points, text.sequence[kept], range(1, 4), "characters")))


FAMILIES: dict[str, Callable[[_Text], Found]] = {"words": _words, "inner": _inner, "characters": _characters}


def _windows(points: np.ndarray, group: np.ndarray, sizes: range, kind: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each size the group and the key of every window that lies within one group."""
    nothing = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64)
    single, found = _spread(points), [nothing]
    key = np.zeros(len(points), dtype=np.uint64)
    for size in range(1, min(sizes.stop, len(points) + 1)):
        with np.errstate(over="ignore"):
            key = key[: len(points) - size + 1] * PRIME + single[size - 1 :]
        if size in sizes:
            whole = group[: len(key)] == group[size - 1 :]
            found.append((group[: len(key)][whole], _salted(key[whole], kind, size)))
    return found


def _merged(pieces: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([group for group, _ in pieces]), np.concatenate([key for _, key in pieces])


def _salted(key: np.ndarray, kind: str, size: int) -> np.ndarray:
    """Keys apart from those of other kinds and sizes."""
    salt = np.uint64(int.from_bytes(f"{kind}{size}".encode()[-8:], "little"))
    return _mixed(key ^ salt)


def _spread(points: np.ndarray) -> np.ndarray:
    """Code points scattered over all of 64 bits."""
    with np.errstate(over="ignore"):
        return _mixed(points.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))


def _mixed(key: np.ndarray) -> np.ndarray:
    """The finaliser of SplitMix64 (Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        z = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        return z ^ (z >> np.uint64(27))


def _same(sequence: np.ndarray) -> np.ndarray:
    """Whether the place before is of the same sequence (T,)."""
    return np.concatenate([[False], sequence[1:] == sequence[:-1]])[: len(sequence)]


def _shifted(mask: np.ndarray) -> np.ndarray:
    return np.concatenate([[False], mask[:-1]])[: len(mask)]


def _before(mask: np.ndarray, sequence: np.ndarray) -> np.ndarray:
    """Whether the place before is of the same sequence and in the mask (T,)."""
    return _shifted(mask) & _same(sequence)
