"""Part rows before anything is fitted: stratified, with exact duplicates kept on one side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from aurify.core import archive, rng
from aurify.core.errors import AurifyError
from aurify.data.store import Store, has_value

BINS = 10
FEWEST_GROUPS = 100
RARE = 10


@dataclass(frozen=True, eq=False)
class Parts:
    """Store row ids of each part: ``fit`` is learnt from, ``held`` stops and calibrates, ``test`` is sealed."""

    fit: np.ndarray
    held: np.ndarray
    test: np.ndarray
    notes: tuple[str, ...] = ()

    def write(self, path: Path) -> None:
        """Keep the parts: drawn once, they never change again, whatever later versions draw."""
        rows = {name: torch.from_numpy(np.ascontiguousarray(getattr(self, name))) for name in ("fit", "held", "test")}
        archive.save(path, "parts", {"notes": list(self.notes)}, rows)

    @classmethod
    def open(cls, path: Path) -> Parts:
        """Read what ``write`` wrote; raises AurifyError when it is absent or damaged."""
        document, rows = archive.load(path, "parts")
        return cls(rows["fit"].numpy(), rows["held"].numpy(), rows["test"].numpy(), tuple(document["notes"]))


def part_rows(store: Store, test_share: float, held_share: float, seed: int) -> Parts:
    """Part a Store's labelled rows. Rows with equal inputs never lie in two parts.

    A test file's rows are the test part; otherwise ``test_share`` of the rows is. ``held_share`` is taken of what
    remains. Raises AurifyError when a part would be empty.
    """
    rows = np.flatnonzero(store.labelled)
    notes = []
    unknown = int((~has_value(store.target)).sum())
    if unknown:
        notes.append(f"{unknown:,} rows without a target are left out")
    own = ~np.asarray(store.test[rows])
    strata = np.zeros(len(rows), dtype=np.int64)  # a test file's targets have no say in how the others are parted
    strata[own] = _strata(np.asarray(store.target[rows[own]]), classes=store.schema.classes is not None)
    keys = row_keys(v[rows] for v in store.inputs.values())
    firsts, inverse = np.unique(keys, return_index=True, return_inverse=True)[1:]
    groups = firsts[inverse]  # named by their first row, so that one changed cell moves no other row
    repeated = own.sum() - len(np.unique(groups[own]))
    if len(np.unique(groups[own])) < FEWEST_GROUPS and repeated:
        notes.append(
            f"only {len(np.unique(groups[own]))} different rows of inputs: too few to keep equal rows on one side"
        )
        groups = np.arange(len(rows))
    elif repeated:
        notes.append(f"{repeated:,} rows repeat another row's inputs; equal rows were kept on one side of the split")
    if not store.test.any():
        test = _draw(groups, strata, test_share, seed, "split/test")
    else:
        test = ~own
        if not test.any():
            raise AurifyError("no row of the test file has a value in the target column; give one that has")
        shared = np.isin(groups[test], groups[own]).sum()
        if shared:
            notes.append(f"{shared:,} rows of the test file have the same inputs as a training row")
    rest = ~test
    held = np.zeros(len(rows), dtype=bool)
    held[rest] = _draw(groups[rest], strata[rest], held_share, seed, "split/held")
    parts = Parts(rows[rest & ~held], rows[held], rows[test], tuple(notes))
    for name, part in (("training", parts.fit), ("held-out", parts.held), ("test", parts.test)):
        if len(part) == 0:
            raise AurifyError(f"{len(rows)} labelled rows are too few: the {name} part would be empty")
    return parts if store.schema.classes is None else replace(parts, notes=(*notes, *_check_classes(store, parts)))


def _check_classes(store: Store, parts: Parts) -> list[str]:
    """Refuse a training part of one class; say which classes are too rare to be measured."""
    counts = np.bincount(store.target[parts.test], minlength=len(store.schema.classes or ()))
    rare = [
        f"{name!r} ({count})" for name, count in zip(store.schema.classes or (), counts, strict=True) if count < RARE
    ]
    absent = set(range(len(store.schema.classes or ()))) - set(np.unique(store.target[parts.fit]).tolist())
    if len(absent) == len(store.schema.classes or ()) - 1:
        raise AurifyError("the training part holds only one class; give more rows or another seed")
    return [f"too few test rows to measure these classes by: {', '.join(rare)}"] if rare else []


def _draw(groups: np.ndarray, strata: np.ndarray, share: float, seed: int, stream: str) -> np.ndarray:
    """Choose whole groups until each stratum has given its share; bool (N,).

    A group counts with its first row's stratum.
    """
    firsts, inverse, sizes = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)[1:]
    random = np.random.Generator(np.random.PCG64(rng.key(seed, stream)))
    shuffled = random.permutation(len(firsts))
    chosen = np.zeros(len(firsts), dtype=bool)
    for stratum in np.unique(strata):
        members = shuffled[strata[firsts[shuffled]] == stratum]
        reached = np.cumsum(sizes[members])
        quota = share * sizes[members].sum()
        chosen[members[reached - sizes[members] / 2 <= quota]] = True
        if len(members) == 1:  # a class of one row is learnt from, it cannot be measured
            chosen[members] = False
    return chosen[inverse]


def _strata(target: np.ndarray, *, classes: bool) -> np.ndarray:
    """Classes themselves, or which of ten equally filled ranges a number lies in."""
    if classes:
        return target
    bins = min(BINS, max(1, len(target) // 20))
    edges = np.quantile(target, np.linspace(0, 1, bins + 1)[1:-1])
    return np.searchsorted(edges, target, side="right")


def row_keys(columns: Iterable[np.ndarray]) -> np.ndarray:
    """Hash each row's values to a uint64 (N,): equal rows have equal keys.

    SplitMix64 (Steele et al. 2014) over the bits of every value; two different rows of a million collide with
    probability below 1e-7. Missing numbers are equal to one another, and so are 0.0 and -0.0.
    """
    keys: np.ndarray | None = None
    with np.errstate(over="ignore"):
        for values in columns:
            table = np.asarray(values)
            for at in range(table.shape[1]):
                column = table[:, at]
                if column.dtype.kind == "f":
                    column = np.where(np.isnan(column), np.nan, column.astype(np.float64) + 0.0)
                    bits = np.ascontiguousarray(column).view(np.uint64)
                else:
                    bits = column.astype(np.int64).view(np.uint64)
                if keys is None:
                    keys = np.zeros(len(column), dtype=np.uint64)
                keys = _mix(keys * np.uint64(31) + bits + np.uint64(0x9E3779B97F4A7C15))
    assert keys is not None, "rows without a column"
    return keys


def _mix(z: np.ndarray) -> np.ndarray:
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
