"""Rows that are far nearer to one another than rows of such a table come: copies with small changes."""

# n rows, d columns, k neighbours

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NEIGHBOURS = 4
"""Rows that a nearest one is compared with, itself included: up to three copies of a row are told from nearness."""

MOST_ORDERS = 16
WINDOW = 3
"""Orders that rows are sorted in, and how many that follow in an order each row is compared with."""

MOST_CELLS = 80_000_000
"""Cells compared in all orders together, about a second; larger tables are sorted in fewer orders."""

FEWEST_ORDERS = 4
DIGITS = 16
FAR = 100.0
CHUNK_CELLS = 100_000
"""Cells looked at together, few enough for a processor's cache."""

RARE = 1e-3
"""Chance of a natural row to be called a copy."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Rows as cells that can be compared, each (n, d): ``place`` is the share of values below it in its column.

    Values that have no order are ``FAR`` apart. ``share`` is how many of a column's values equal it, ``digits`` are
    16 bits that are alike where places are.
    """

    place: np.ndarray
    share: np.ndarray
    digits: np.ndarray

    @classmethod
    def of(cls, numbers: np.ndarray, codes: np.ndarray, seed: int) -> Cells:
        """Rank ``numbers`` (n, a), NaN missing, and tell ``codes`` (n, b) apart."""
        random = np.random.Generator(np.random.PCG64(seed))
        columns = [_ranked(numbers[:, at]) for at in range(numbers.shape[1])]
        columns += [_coded(codes[:, at], random) for at in range(codes.shape[1])]
        columns = [column for column in columns if column[1].min(initial=1.0) < 1]
        empty = (np.empty((len(numbers), 0), dtype=kind) for kind in (np.float32, np.float32, np.uint16))
        return cls(*(np.stack(each, axis=1) for each in zip(*columns, strict=True))) if columns else cls(*empty)

    def alike(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """How much speaks for rows (m,) being copies: the sum over columns of -log P(two rows come as near)."""
        found = np.empty(len(one), dtype=np.float32)
        every = np.ones(self.place.shape[1], dtype=np.float32)
        step = max(1, CHUNK_CELLS // len(every))
        for start in range(0, len(one), step):
            here = slice(start, start + step)
            chance = np.abs(self.place[one[here]] - self.place[other[here]])
            chance *= 2
            np.maximum(chance, self.share[one[here]], out=chance)
            np.minimum(chance, 1, out=chance)
            found[here] = -np.log(chance) @ every
        return found


def _ranked(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    missing = np.isnan(values)
    known = values[~missing]
    _, which, counts = np.unique(known, return_inverse=True, return_counts=True)
    place, share = np.full(len(values), FAR, dtype=np.float32), np.full(len(values), missing.mean(), dtype=np.float32)
    total = max(1, len(values))
    place[~missing] = ((np.cumsum(counts) - counts / 2) / max(1, len(known)))[which]
    share[~missing] = (counts / total)[which]
    digits = np.where(missing, 0, place * (2**DIGITS - 1)).astype(np.uint16)
    return place, share, digits


def _coded(codes: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    distinct, which, counts = np.unique(codes, return_inverse=True, return_counts=True)
    digits = random.integers(0, 2**DIGITS, len(distinct)).astype(np.uint16)
    return (FAR * which).astype(np.float32), (counts / len(codes)).astype(np.float32)[which], digits[which]


@dataclass(frozen=True, eq=False)
class Near:
    """The nearest rows found to each: ``score`` (n, k), the nearest first, -inf where none was met, ``row`` (n, k)."""

    score: np.ndarray
    row: np.ndarray


def nearest(cells: Cells, seed: int) -> Near:
    """Look for the nearest rows to each, without comparing all pairs.

    Rows are sorted by a few leading bits of every column, the columns in a drawn order, and compared with those that
    follow: copies stand side by side unless a leading column is a changed one (sorted neighbourhoods, Hernandez &
    Stolfo 1995; orders by drawn bits, Charikar 2002).
    """
    rows, width = cells.place.shape
    near = Near(np.full((rows, NEIGHBOURS), -np.inf, dtype=np.float32), np.full((rows, NEIGHBOURS), -1, dtype=np.int32))
    random = np.random.Generator(np.random.PCG64(seed))
    orders = int(np.clip(MOST_CELLS // max(1, rows * width * WINDOW), FEWEST_ORDERS, MOST_ORDERS))
    bits = int(np.clip(np.ceil(2 * (np.log2(max(rows, 2)) + 2) / width), 1, 8))
    for _ in range(orders):
        order = np.argsort(_key(cells.digits, bits, random))
        for ahead in range(1, min(WINDOW, rows - 1) + 1):
            one, other = order[:-ahead], order[ahead:]
            score = cells.alike(one, other)
            _insert(near, one, other, score)
            _insert(near, other, one, score)
    return near


def _key(digits: np.ndarray, bits: int, random: np.random.Generator) -> np.ndarray:
    rows, width = digits.shape
    key = np.zeros(rows, dtype=np.uint64)
    for at in random.permutation(width)[: 64 // bits]:
        moved = digits[:, at] + np.uint16(random.integers(0, 2**DIGITS))
        key = (key << np.uint64(bits)) | (moved >> np.uint16(DIGITS - bits)).astype(np.uint64)
    return key


def _insert(near: Near, rows: np.ndarray, others: np.ndarray, score: np.ndarray) -> None:
    better = np.flatnonzero(score > near.score[rows, -1])
    better = better[(near.row[rows[better]] != others[better, None]).all(1)]
    rows = rows[better]
    near.score[rows, -1], near.row[rows, -1] = score[better], others[better]
    order = np.argsort(-near.score[rows], axis=1)
    near.score[rows] = np.take_along_axis(near.score[rows], order, 1)
    near.row[rows] = np.take_along_axis(near.row[rows], order, 1)


def chances(near: Near) -> np.ndarray:
    """How likely a natural row (n,) is to have a nearest row so far before its k-th.

    Where rows lie as they come, scores near the best fall off as exponential ones, whose spacings (Renyi 1953) tell
    P(gap <= g) = (1 - exp(-rate g))^(k - 1); the same of distances is Facco et al. 2017. The rate is the slowest that
    the middle and five eighths of all rows tell, and never faster than that of independent columns, 1: where a fifth of
    the rows are copies, a third of all have one.
    """
    gap = near.score[:, 0] - near.score[:, -1]
    whole = np.isfinite(gap)
    if not whole.any():
        return np.ones(len(gap))
    rate, others = 1.0, NEIGHBOURS - 1
    for share in (0.5, 0.625):
        at = float(np.quantile(gap[whole], share))
        if at > 0:
            rate = min(rate, -np.log1p(-(share ** (1 / others))) / at)
    return np.where(whole, 1 - (1 - np.exp(-rate * np.where(whole, gap, 0))) ** others, 1.0)
