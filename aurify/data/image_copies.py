"""Images that are copies of one another, or nearly: hashes of several cuts of each, and pixels that prove it."""

# N images, V cuts of each, S side of a small image, F low frequencies, P pairs

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from aurify.core import rng
from aurify.core.cores import cores
from aurify.data.copies import first_alike, image_keys
from aurify.data.image_proof import Proof, proofs
from aurify.data.image_rows import ImageRows
from aurify.data.small_gray import averaging, small_gray, spread

SIDE = 32
"""Of the small gray images that are compared."""

LEAST_SIDE = 16
"""Smaller images have too few pixels to be alike in more than chance: they are copies where they are equal."""

LOW = 6
"""Frequencies up and down, and to and fro, that are hashed: all but the mean."""

BITS, TABLES = 22, 24
"""Hashed together, and how often. Of crops to 0.9 of both sides, saved anew, 99 % meet in some table (CIFAR-10)."""

MOST_MET = 4
"""Images of one bucket that each is compared with: time grows with the number of images."""

MOST_CUT = 200_000
"""Images up to which cuts are hashed: of more, crops are not found."""

AGREE = 0.9
"""Cosine of low frequencies from which pixels are looked at."""

FLAT = 4.0
"""Standard deviation of gray below which there is nothing to compare."""

WHOLE = (0.0, 0.0)
THIRDS = ((0.0, 0.1), (0.05, 0.05), (0.1, 0.0))
CUTS = ((WHOLE, WHOLE), ((0.1, 0.1), (0.1, 0.1)), *((down, across) for down in THIRDS for across in THIRDS))
"""What is left out of an image, above and below, left and right, as shares of its sides."""

LEVELS = ((0.87, 0.78), (0.95, 0.9), (0.985, 0.965))
"""Agreement of pixels, and of fine detail, from which images are copies: the first at which images upside down, which
are none, hardly ever are. Handwritten digits are much alike, photographs are not."""

KINDS = ("saved anew", "cropped", "mirrored", "joined")
"""How near copies are alike; those ``joined`` are so by a chain of others."""

DECOYS, MOST_BY_CHANCE = 4000, 0.03
"""Images that are looked up upside down, and their share among the images with a copy that may be chance."""

MIRRORED_CUTS = 2
"""Cuts of mirror images that are looked up: fewer, for time."""


@dataclass(frozen=True, eq=False)
class NearImages:
    """Pairs (P, 2) of positions of images that are nearly the same but not equal."""

    pairs: np.ndarray

    def families(self, first: np.ndarray) -> np.ndarray:
        """Name each image (N,) by the first of its family; ``first`` (N,) is the first equal image of each."""
        from scipy.sparse import coo_matrix
        from scipy.sparse.csgraph import connected_components

        count = len(first)
        links = np.concatenate([self.pairs, np.stack([np.arange(count), first], 1)])
        ones = np.ones(len(links), dtype=np.int8)
        group = connected_components(coo_matrix((ones, tuple(links.T)), shape=(count, count)), directed=False)[1]
        return first_alike(group)


def image_families(images: np.ndarray | ImageRows) -> np.ndarray:
    """Name each image (N, H, W, C) uint8 by the first (N,) int64 that is equal or nearly so.

    Nearly: saved anew, resized, cropped by up to a fifth of its sides, brighter or darker, or mirrored. A pure function
    of the images. Perceptual hashes (Zauner 2010) of several cuts of each, as bits of random projections (Charikar
    2002), say which may be; their pixels prove it.
    """
    first = first_alike(image_keys(images)[:, 0])
    if min(images.shape[1:3]) < LEAST_SIDE:
        return first
    return near_images(images, first).families(first)


def near_images(images: np.ndarray | ImageRows, first: np.ndarray) -> NearImages:
    """Find near copies among the first of each kind of equal images; flat ones have none."""
    small = small_gray(images, SIDE)
    able = np.flatnonzero((first == np.arange(len(first))) & (spread(small) >= FLAT))
    if len(able) < 2:
        return NearImages(np.empty((0, 2), dtype=np.int64))
    small = small[able]
    look, every = Lookup.of(small), np.arange(len(able))
    asked = every[:: max(1, len(able) // DECOYS)]
    plain = look.like(small, every, small, len(CUTS))
    level = _level(plain, look.like(small[asked, ::-1], asked, small, len(CUTS)), asked)
    if level is None:
        return NearImages(np.empty((0, 2), dtype=np.int64))
    turned = look.like(small[:, :, ::-1], every, small, MIRRORED_CUTS)
    pairs = np.concatenate([each.pairs[each.proof.hold(*level)] for each in (plain, turned)])
    return NearImages(able[np.unique(np.sort(pairs, axis=1), axis=0)])


@dataclass(frozen=True, eq=False)
class _Likely:
    """Pairs (P, 2) that hashes say may be copies, and what their pixels say."""

    pairs: np.ndarray
    proof: Proof


def _level(plain: _Likely, decoys: _Likely, asked: np.ndarray) -> tuple[float, float] | None:
    """The lowest agreement at which hardly an image finds its like upside down, against those that find one."""
    for level in LEVELS:
        there = np.intersect1d(plain.pairs[plain.proof.hold(*level)], asked)
        if len(np.unique(decoys.pairs[decoys.proof.hold(*level), 0])) <= max(1, MOST_BY_CHANCE * len(there)):
            return level
    return None


@dataclass(frozen=True, eq=False)
class Lookup:
    """Low frequencies (V, N, F) of each cut of each image, by which those that may be alike are found."""

    cuts: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, small: np.ndarray) -> Lookup:
        """``small`` (N, S, S); frequencies are made as strong as one another, by half."""
        chosen = CUTS if len(small) <= MOST_CUT else CUTS[:1]
        low = _frequencies(small, chosen[:1])[0]
        mean, scale = low.mean(0), 1 / np.sqrt(low.std(0) + 1e-3)
        empty = cls(np.empty((len(chosen), 0, low.shape[1]), dtype=np.float32), mean, scale)
        return cls(empty.described(small, len(chosen)), mean, scale)

    def like(self, asked: np.ndarray, own: np.ndarray, small: np.ndarray, cuts: int) -> _Likely:
        """What images ``asked`` (M, S, S), or cuts of them, may be copies of among ``small`` (N, S, S).

        ``own`` (M,) is the place of each among these, which it does not meet.
        """
        low = self.cuts if asked is small else self.described(asked, min(cuts, len(self.cuts)))
        found = self.met(low, own)
        return _Likely(np.stack([own[found[:, 0]], found[:, 1]], 1), proofs(asked, small, found, CUTS))

    def described(self, small: np.ndarray, cuts: int) -> np.ndarray:
        low = _frequencies(small, CUTS[:cuts])
        low -= self.mean
        low *= self.scale
        low /= np.linalg.norm(low, axis=2, keepdims=True) + 1e-9
        return low

    def met(self, asked: np.ndarray, own: np.ndarray) -> np.ndarray:
        """Which of the images (N) those ``asked`` (V, M, F) may be copies of: (P, 3), of both and of the cut."""
        random = np.random.Generator(np.random.PCG64(rng.key(0, "image copies")))
        planes = random.standard_normal((TABLES, self.cuts.shape[2], BITS)).astype(np.float32)
        with ThreadPoolExecutor(cores()) as threads:
            codes = list(threads.map(lambda each: self._met(asked, own, *each), enumerate(planes)))
        return _pairs(np.concatenate(codes), self.cuts.shape[1])

    def _met(self, asked: np.ndarray, own: np.ndarray, table: int, planes: np.ndarray) -> np.ndarray:
        """Codes (P,) of pairs that meet in one table and agree."""
        keys = _hashed(self.cuts[0], planes)
        order = np.argsort(keys, kind="stable").astype(np.int32)
        sizes = np.bincount(keys, minlength=1 << BITS).astype(np.int32)
        starts = np.cumsum(sizes, dtype=np.int32) - sizes
        found = []
        for cut, low in enumerate(asked):
            key = _hashed(low, planes)
            start, held = starts[key], sizes[key]
            for step in range(MOST_MET):
                row = np.flatnonzero(held > step)
                # the first of a bucket meets all of it, so that a chain joins them; the others are drawn
                move = (step * (2 * table + 1) + own[row] * (step > 0)) % held[row]
                other = order[start[row] + move]
                keep = other != own[row]
                row, other = row[keep], other[keep]
                agree = np.einsum("pf,pf->p", low[row], self.cuts[0][other]) >= AGREE
                found.append((row[agree] * self.cuts.shape[1] + other[agree]) * len(CUTS) + cut)
        return np.concatenate(found)


def _pairs(codes: np.ndarray, count: int) -> np.ndarray:
    codes = np.unique(codes)
    both, cut = np.divmod(codes, len(CUTS))
    return np.stack([*np.divmod(both, count), cut], axis=1)


def _hashed(low: np.ndarray, planes: np.ndarray) -> np.ndarray:
    """On which side of each of the planes (F, B) frequencies (N, F) lie, as one number (N,)."""
    sides = (low @ planes > 0).astype(np.float32)
    return (sides @ np.float32(2.0) ** np.arange(planes.shape[1], dtype=np.float32)).astype(np.int32)


def _frequencies(small: np.ndarray, cuts: tuple[tuple[tuple[float, float], tuple[float, float]], ...]) -> np.ndarray:
    """The lowest frequencies (V, N, F) float32 of cuts of small images (N, S, S), without the mean."""
    found = np.empty((len(cuts), len(small), LOW * LOW - 1), dtype=np.float32)
    for start in range(0, len(small), 4096):
        some = small[start : start + 4096].astype(np.float32)
        for at, (down, across) in enumerate(cuts):
            waves = [_cosines() @ averaging(SIDE, SIDE, *left) for left in (down, across)]
            found[at, start : start + 4096] = (waves[0] @ (some @ waves[1].T)).reshape(len(some), -1)[:, 1:]
    return found


def _cosines() -> np.ndarray:
    """The first cosines (LOW, S) of a DCT-II, of length 1."""
    waves = np.cos(np.pi * (np.arange(SIDE) + 0.5) * np.arange(LOW)[:, None] / SIDE)
    return (waves / np.linalg.norm(waves, axis=1, keepdims=True)).astype(np.float32)


def kinds_of(small: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """How images of ``pairs`` (P, 2) of small gray ones (N, S, S) are alike: (P,) int64, places in ``KINDS``."""
    mirrored, kinds = np.ascontiguousarray(small[:, :, ::-1]), np.full(len(pairs), KINDS.index("joined"))
    for kind, one, cuts in (("saved anew", small, CUTS[:1]), ("cropped", small, CUTS), ("mirrored", mirrored, CUTS)):
        for cut in range(len(cuts)):
            for way in (slice(None), slice(None, None, -1)):
                left = np.flatnonzero(kinds == KINDS.index("joined"))
                asked = np.column_stack([pairs[left][:, way], np.full(len(left), cut)])
                kinds[left[proofs(one, small, asked, CUTS).hold(*LEVELS[0])]] = KINDS.index(kind)
    return kinds
