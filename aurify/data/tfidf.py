"""Texts as sparse rows: how often each n-gram is there, weighed by how rare it is."""

# N rows, T code points, V n-grams of the vocabulary

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from aurify.data.ngrams import Found, kinds_for, ngrams_of
from aurify.data.packed import Packed

MOST_NGRAMS = 200_000
"""Of each kind; those in the most rows are kept."""

FEW_ROWS = 100
"""Up to so many rows an n-gram that is in one of them counts too; else it must be in two."""

MOST_POINTS = 20_000_000
"""Characters learnt from in all: of very many texts the first so many of each, ``SHORTEST`` at least."""

SHORTEST, LONGEST = 250, 5_000
POINTS_AT_ONCE = 500_000

MOST_COUNTED = 8_000_000
"""Keys that are counted apart before they are put together."""

Counted = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Keys (V,), in how many rows each is, and what these weigh."""

Matrix = Any
"""scipy's csr_matrix (N, V) float32."""


@dataclass(frozen=True, eq=False)
class Tfidf:
    """What training rows say of n-grams: for each kind the keys that count, ascending, and how rare each is.

    ``keys`` are int64 and ``rarity`` float32, both (V,), the ``kinds`` one after another, with ``sizes`` of them each;
    ``length`` is how many characters of a text are read. Term frequency times inverse document frequency (Sparck Jones
    1972) as ``TfidfVectorizer(sublinear_tf=True)`` reckons it, each kind of length 1.
    """

    kinds: tuple[str, ...]
    sizes: tuple[int, ...]
    keys: np.ndarray
    rarity: np.ndarray
    length: int

    @classmethod
    def fit(cls, texts: Packed, weight: np.ndarray) -> Tfidf:
        """Learn from rows, each of which stands for ``weight`` (N,) of them."""
        length = int(np.clip(MOST_POINTS // max(1, len(texts)), SHORTEST, LONGEST))
        kinds, least = kinds_for(texts), 2 if len(texts) > FEW_ROWS else 1
        known = [_vocabulary(texts, kind, length, weight, least) for kind in kinds]
        if not any(len(keys) for keys, _ in known):  # a column that is never filled: there must be one
            known[0] = np.zeros(1, dtype=np.int64), np.zeros(1)
        keys, rarity = (np.concatenate([each[at] for each in known]) for at in (0, 1))
        return cls(kinds, tuple(len(each) for each, _ in known), keys, rarity.astype(np.float32), length)

    def matrix(self, texts: Packed) -> Matrix:
        """Rows (N, V) of weighed counts."""
        from scipy.sparse import hstack, vstack

        pieces = [hstack([*self._weighed(piece)]) for _, piece in _chunks(texts, self.length)]
        return vstack(pieces, format="csr", dtype=np.float32)

    def _weighed(self, texts: Packed) -> Iterator[Matrix]:
        from scipy.sparse import csr_matrix

        start = 0
        for kind, size in zip(self.kinds, self.sizes, strict=True):
            keys, rarity = self.keys[start : start + size], self.rarity[start : start + size]
            start += size
            row, place = _placed(ngrams_of(texts, kind), keys)
            counts = csr_matrix((np.ones(len(row), dtype=np.float32), (row, place)), shape=(len(texts), size))
            counts.data = (1 + np.log(counts.data)) * rarity[counts.indices]
            lengths = np.sqrt(np.asarray(counts.multiply(counts).sum(1)).ravel())
            counts.data /= np.repeat(np.where(lengths > 0, lengths, 1), np.diff(counts.indptr)).astype(np.float32)
            yield counts


def _placed(found: Found, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the n-grams that are in the vocabulary."""
    if not len(keys):
        return found.row[:0], found.row[:0]
    place = np.searchsorted(keys, found.key).clip(max=len(keys) - 1)
    known = keys[place] == found.key
    return found.row[known], place[known]


def _vocabulary(texts: Packed, kind: str, length: int, weight: np.ndarray, least: int) -> tuple[np.ndarray, np.ndarray]:
    """The keys of one kind and how rare each is, natural logarithm."""
    pieces: list[Counted] = []
    for which, piece in _chunks(texts, length):
        found = ngrams_of(piece, kind)
        keys, place = np.unique(found.key, return_inverse=True)
        once = np.unique(place * len(piece) + found.row)  # an n-gram counts once a row
        place, own = once // len(piece), weight[which][once % len(piece)]
        pieces.append((keys, np.bincount(place, minlength=len(keys)), np.bincount(place, own, len(keys))))
        if sum(len(each) for each, _, _ in pieces) > MOST_COUNTED:
            pieces = [_together(pieces)]
    keys, rows, weights = _together(pieces)
    kept = np.flatnonzero(rows >= least)
    if len(kept) > MOST_NGRAMS:
        kept = np.sort(kept[np.argsort(-rows[kept], kind="stable")[:MOST_NGRAMS]])
    return keys[kept], np.log((1 + weight.sum()) / (1 + weights[kept])) + 1


def _together(pieces: list[Counted]) -> Counted:
    keys, rows, weights = (np.concatenate([piece[at] for piece in pieces]) for at in range(3))
    every, place = np.unique(keys, return_inverse=True)
    return every, np.bincount(place, rows, len(every)), np.bincount(place, weights, len(every))


def _chunks(texts: Packed, length: int) -> Iterator[tuple[np.ndarray, Packed]]:
    """Which rows are read together, about ``POINTS_AT_ONCE`` characters, and they; no text longer than ``length``."""
    sizes = np.minimum(texts.lengths, length).sum(1)
    group = np.cumsum(sizes) // POINTS_AT_ONCE
    for which in np.split(np.arange(len(texts)), np.flatnonzero(np.diff(group)) + 1):
        yield which, _first(texts[which], length)


def _first(texts: Packed, most: int) -> Packed:
    """At most ``most`` characters of each text."""
    lengths = np.diff(texts.ends)
    if lengths.max(initial=0) <= most:
        return texts
    place = np.arange(len(texts.values)) - np.repeat(texts.ends[:-1], lengths)
    ends = np.concatenate([[0], np.cumsum(np.minimum(lengths, most))])
    return Packed(texts.values[place < most], ends, texts.columns)
