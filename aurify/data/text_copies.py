"""Texts that are copies of one another, or nearly: one spelling for each, and MinHash for those with small changes."""

# N texts, S shingles in all, H hash functions, P pairs

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from aurify.core import rng
from aurify.data.packed import Packed

HASHES, BAND = 128, 4
"""Of pairs that share 0.6 of their shingles 99% meet in one of the 32 bands, of those that share 0.2 5%."""

ALIKE, SHORTEST_ALIKE = 0.5, 0.65
"""Shared shingles (Jaccard) from which texts are near copies: one character in twenty changed leaves 0.6 or more.

The second is for texts of 20 shingles, where one other word leaves half of a question; between 20 and 60 in proportion.
"""

SHORT, LONG = 3, 4
"""Characters of a shingle, in texts of ideographs and in others."""

FEWEST_SHINGLES = 16
"""Texts with fewer share most of them by chance."""

PIECE, CACHED = 2**22, 2**16
"""Shingles that are worked on together: to keep memory small, and to stay in a core's cache."""

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def plainly(text: str) -> str:
    """A text as it is compared: NFKC (full-width forms become plain), letters in one case, without blanks."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def ideographic(texts: Packed) -> np.ndarray:
    """Which texts (N,) have ideographs in at least a quarter of their characters, those of one column."""
    points = texts.values
    han = (points >= 0x3040) & (points <= 0x9FFF) | (points >= 0xAC00) & (points <= 0xD7A3)
    sums = np.concatenate([[0], np.cumsum(han)])
    return 4 * (sums[texts.ends[1:]] - sums[texts.ends[:-1]]) >= np.maximum(1, np.diff(texts.ends))


@dataclass(frozen=True, eq=False)
class Shingles:
    """Hashes (S,) uint64 of runs of characters, text after text, and which text each is of (S,)."""

    hashes: np.ndarray
    text: np.ndarray


def shingles_of(texts: Packed, size: int, chosen: np.ndarray) -> Shingles:
    """Every run of ``size`` characters inside the ``chosen`` texts (N,) bool of one column, as it stands."""
    lengths = np.diff(texts.ends)
    counts = np.where(chosen, np.maximum(0, lengths - size + 1), 0)
    text = np.repeat(np.arange(len(lengths)), counts)
    starts = np.concatenate([[0], np.cumsum(counts)])[:-1]
    at = np.arange(len(text)) + np.repeat(texts.ends[:-1] - starts, counts)
    points = texts.values.astype(np.uint64) + np.uint64(1)
    hashes = np.full(len(at), np.uint64(size))
    with np.errstate(over="ignore"):
        for step in range(size):
            hashes = (hashes ^ points[at + step]) * GOLDEN
            hashes ^= hashes >> np.uint64(29)
    return Shingles(hashes, text)


@dataclass(frozen=True, eq=False)
class NearPairs:
    """Pairs (P, 2) of positions of texts that share at least ``ALIKE`` of their shingles, and how much (P,)."""

    pairs: np.ndarray
    shared: np.ndarray

    def groups(self, count: int) -> np.ndarray:
        """Which group each of ``count`` texts is in, those joined by a chain of pairs in one."""
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        ones = np.ones(len(self.pairs), dtype=np.int8)
        return connected_components(coo_matrix((ones, tuple(self.pairs.T)), shape=(count, count)), directed=False)[1]


def near_pairs(texts: Sequence[str], seed: int) -> NearPairs:
    """Find near copies among different texts: MinHash (Broder 1997) of shingles of characters, in bands (LSH), proved.

    Of many texts in one bucket each is compared with the first and with its neighbour only, so that time grows with the
    number of texts; a chain of pairs joins the others.
    """
    packed = Packed.of([texts])
    han = ideographic(packed)
    found = [shingles_of(packed, size, chosen) for size, chosen in ((SHORT, han), (LONG, ~han))]
    # 32 bits of a hash are enough to tell shingles of two texts apart
    values = np.concatenate([f.hashes >> np.uint64(32) for f in found])
    keys = _different(np.concatenate([f.text for f in found]).astype(np.uint64) << np.uint64(32) | values)
    text = (keys >> np.uint64(32)).astype(np.int64)
    ends = np.searchsorted(text, np.arange(len(texts) + 1))
    able = np.flatnonzero(np.diff(ends) >= FEWEST_SHINGLES)
    shingles = (keys & np.uint64(0xFFFFFFFF)).astype(np.uint32)
    signatures = _signatures(shingles, ends, able, seed)
    pairs = _proved(_candidates(signatures), signatures)
    shared = _shared(shingles, ends, able[pairs])
    fewer = np.diff(ends)[able[pairs]].min(1, initial=2**31)
    kept = shared >= np.interp(fewer, (20, 60), (SHORTEST_ALIKE, ALIKE))
    return NearPairs(able[pairs[kept]], shared[kept])


def _signatures(shingles: np.ndarray, ends: np.ndarray, able: np.ndarray, seed: int) -> np.ndarray:
    """The least value of each hash function over each text's shingles (A, H) uint32: multiply, add, drop the rest."""
    random = np.random.Generator(np.random.PCG64(rng.key(seed, "minhash")))
    factors = random.integers(0, 2**31, HASHES, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    terms = random.integers(0, 2**32, HASHES, dtype=np.uint32)
    least = np.empty((len(able), HASHES), dtype=np.uint32)
    sizes = ends[able + 1] - ends[able]
    for first, last in _pieces(sizes, CACHED):
        some = able[first:last]
        starts = np.concatenate([[0], np.cumsum(sizes[first:last])])[:-1]
        at = np.arange(sizes[first:last].sum()) + np.repeat(ends[some] - starts, sizes[first:last])
        values = shingles[at]
        for column, (factor, term) in enumerate(zip(factors, terms, strict=True)):
            least[first:last, column] = np.minimum.reduceat(values * factor + term, starts)
    return least


def _candidates(signatures: np.ndarray) -> np.ndarray:
    """Pairs (P, 2) of rows of signatures that are equal in some band, each once."""
    codes = [np.empty(0, dtype=np.int64)]
    count = len(signatures)
    for start in range(0, HASHES if count else 0, BAND):
        keys = np.full(count, GOLDEN)
        with np.errstate(over="ignore"):
            for column in range(start, start + BAND):
                keys = (keys ^ signatures[:, column]) * GOLDEN
                keys ^= keys >> np.uint64(31)
        order = np.argsort(keys, kind="stable")
        same = keys[order][1:] == keys[order][:-1]
        later = np.flatnonzero(same) + 1
        head = np.maximum.accumulate(np.where(np.concatenate([[True], ~same]), np.arange(count), 0))
        for other in (order[head[later]], order[later - 1]):
            low, high = np.minimum(order[later], other), np.maximum(order[later], other)
            codes.append(low.astype(np.int64) * count + high)
    every = _different(np.concatenate(codes))
    return np.stack(np.divmod(every, max(1, count)), axis=1)


def _pieces(sizes: np.ndarray, most: int) -> Iterator[tuple[int, int]]:
    """Where runs of items begin and end whose ``sizes`` are about ``most`` together."""
    cuts = np.flatnonzero(np.diff(np.cumsum(sizes) // most, prepend=-1)).tolist()
    yield from pairwise([*cuts, len(sizes)])


def _different(keys: np.ndarray) -> np.ndarray:
    """Each key once, ascending: numpy's own ``unique`` takes five times as long on millions of them."""
    keys = np.sort(keys)
    return keys[np.concatenate([[True], keys[1:] != keys[:-1]])] if len(keys) else keys


def _proved(pairs: np.ndarray, signatures: np.ndarray) -> np.ndarray:
    """The pairs whose signatures agree nearly as often as those of near copies do: the others need no counting."""
    step = PIECE // HASHES
    kept = [np.empty(0, dtype=bool)]
    for start in range(0, len(pairs), step):
        one, other = (signatures[pairs[start : start + step, side]] for side in (0, 1))
        kept.append((one == other).mean(1) >= ALIKE - 0.15)
    return pairs[np.concatenate(kept)]


def _shared(shingles: np.ndarray, ends: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Which share of the shingles of both is in both (P,)."""
    sizes = np.diff(ends)[pairs].sum(1)
    shared = np.empty(len(pairs))
    for first, last in _pieces(sizes, PIECE):
        both = np.concatenate([pairs[first:last, side] for side in (0, 1)])
        lengths = ends[both + 1] - ends[both]
        starts = np.concatenate([[0], np.cumsum(lengths)])[:-1]
        at = np.arange(lengths.sum()) + np.repeat(ends[both] - starts, lengths)
        pair = np.repeat(np.tile(np.arange(last - first), 2), lengths).astype(np.uint64)
        keys = np.sort(pair << np.uint64(32) | shingles[at])
        twice = np.flatnonzero(keys[1:] == keys[:-1])
        common = np.bincount((keys[twice] >> np.uint64(32)).astype(np.int64), minlength=last - first)
        shared[first:last] = common / (sizes[first:last] - common)
    return shared
