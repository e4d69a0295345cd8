"""Part rows before anything is fitted: at random, by whole groups or by time; once, or in folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from aurify.core import archive, rng
from aurify.core.errors import AurifyError
from aurify.core.words import said
from aurify.data.copies import first_alike, row_keys
from aurify.data.drawing import deal, draw
from aurify.data.image_rows import rows_of_input
from aurify.data.store import COPIES, Store, has_value

BINS = 10
FEWEST_UNITS = 100
FEWEST_GROUPS = 10
RARE = 10
SHOWN = 5
MANY_ROWS = 10_000


def held_share(asked: float | None, rows: int) -> float:
    """The share of training rows to hold out, where the recipe leaves it to their number."""
    return asked if asked is not None else 0.05 if rows >= MANY_ROWS else 0.1


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


@dataclass(frozen=True, eq=False)
class _Rows:
    """The rows that may be parted, each (n,), and by what: rows of one ``unit`` stay together.

    ``ids`` are Store row ids, ``own`` marks those that are not a test file's. For a split by time the units are times.
    """

    kind: str
    ids: np.ndarray
    own: np.ndarray
    strata: np.ndarray
    units: np.ndarray
    notes: tuple[str, ...]

    def held(self, rest: np.ndarray, share: float, seed: int, stream: str) -> np.ndarray:
        """Which rows (n,) are held out, of those in ``rest`` (n,) bool."""
        held = np.zeros(len(rest), dtype=bool)
        held[rest] = draw(self.kind, self.units[rest], self.strata[rest], share, seed, stream)
        return held


def part_rows(store: Store, test_share: float, held_share: float, seed: int, by: str = "random") -> Parts:
    """Part a Store's labelled rows, ``by`` as in a recipe's split.

    ``random``: stratified, and rows with equal inputs never lie in two parts, nor do near copies of an image.
    ``group:COLUMN``: whole groups, as stratified as they can be. ``time:COLUMN``: the latest ``test_share`` is the test
    part and the latest of what remains is held out, rows of one time on one side. A test file's rows are the test part
    whatever the split. ``held_share`` is taken of what remains. Raises AurifyError when a part would be empty.
    """
    rows = _rows(store, by)
    if store.test.any():
        test = ~rows.own
        if not test.any():
            raise AurifyError("no row of the test file has a value in the target column; give one that has")
        _require_units(rows, by, 2)
    else:
        _require_units(rows, by, 3)
        test = draw(rows.kind, rows.units, rows.strata, test_share, seed, "split/test")
    held = rows.held(~test, held_share, seed, "split/held")
    parts = _checked(store, rows, ~test & ~held, held, test)
    notes = [*rows.notes, *_say_rare(store, parts.test)]
    return replace(parts, notes=tuple(notes))


def learnt_rows(store: Store, held_share: float, seed: int, by: str = "random") -> Parts:
    """Part a Store's labelled rows without a test part; for whoever measures elsewhere.

    Of rows too few to hold any out, all are learnt from and all judge when to stop. Raises AurifyError where nothing is
    left to learn from.
    """
    rows = _rows(store, by)
    _require_units(rows, by, 2)
    held = rows.held(np.ones(len(rows.ids), dtype=bool), held_share, seed, "split/held")
    few = [] if held.any() else [f"{len(held)} rows are too few to hold any out: when to stop is judged by all of them"]
    parts = Parts(rows.ids[~held], rows.ids[held] if held.any() else rows.ids, rows.ids[:0], (*rows.notes, *few))
    _require_learnable(store, parts)
    return parts


def fold_rows(
    store: Store, folds: int, held_share: float, seed: int, by: str = "random", among: np.ndarray | None = None
) -> list[Parts]:
    """Part a Store's labelled rows ``folds`` times; for whoever measures a recipe on every row rather than on one part.

    ``among`` (M,) are the Store row ids there are to part, else all.

    ``random`` and ``group:COLUMN``: each row is in the test part of exactly one fold and trained on in the others,
    stratified as in ``part_rows``. ``time:COLUMN``: the test parts are consecutive blocks of times, each learnt from
    everything before it, so that the earliest rows are in none. Each fold has held-out rows of its own, a
    ``held_share`` of its training rows. A pure function of its arguments. Raises AurifyError where a part would be
    empty.
    """
    rows = _rows(store, by, among)
    if not rows.own.all():
        raise AurifyError("folds test the rows of the data in turn and a test file names the rows to test: choose one")
    _require_units(rows, by, 3)
    fold = deal(rows.kind, rows.units, rows.strata, folds, seed)
    masks = [(fold < at if rows.kind == "time" else fold != at, fold == at) for at in range(folds)]
    every = []
    for at, (rest, test) in enumerate(masks):
        held = rows.held(rest, held_share, seed, f"split/fold {at}/held")
        every.append(_checked(store, rows, rest & ~held, held, test))
    notes = [*rows.notes, *_say_rare(store, rows.ids[fold >= 0])]
    if rows.kind == "time":
        early = int((fold < 0).sum())
        notes.append(said("the {rows:,} earliest rows are in no test part: every fold learns from them", rows=early))
    return [replace(parts, notes=tuple(notes)) for parts in every]


@dataclass(frozen=True, eq=False)
class Samples:
    """Row ids of samples to learn and to measure on, one a repeat; ``apart`` where no row is in two of them."""

    rows: tuple[np.ndarray, ...]
    apart: bool


def sample_rows(
    store: Store, among: np.ndarray, count: int, most: int | None, seed: int, by: str = "random"
) -> Samples:
    """Draw ``count`` samples of about ``most`` rows (all, where nothing is said) out of ``among`` (M,), stratified.

    Where there are enough rows the samples share none, nor a group; a group, and rows with equal inputs or nearly the
    same image, stay whole. Rows of one time may well be in several samples. A pure function of its arguments.
    """
    rows = _rows(store, by, among)
    if rows.kind == "time":  # which lie before which is the folds' affair
        rows = replace(rows, kind="random", units=np.arange(len(rows.ids)))
    most = len(rows.ids) if most is None else most
    units, least = len(np.unique(rows.units)), FEWEST_GROUPS if rows.kind == "group" else 1
    if len(rows.ids) >= count * most and units >= count * least:
        portion = deal(rows.kind, rows.units, rows.strata, count, rng.key(seed, "samples"))
        pools = [np.flatnonzero(portion == at) for at in range(count)]
    else:
        pools = [np.arange(len(rows.ids))] * count
    drawn = []
    for at, pool in enumerate(pools):
        share, one = most / len(pool), pool
        if share < 1:
            one = pool[draw(rows.kind, rows.units[pool], rows.strata[pool], share, seed, f"samples/{at}")]
        drawn.append(rows.ids[one])
    return Samples(tuple(drawn), apart=len(pools) > 1 and pools[0] is not pools[1] and not by.startswith("time"))


def whole(folds: Sequence[Parts]) -> Parts:
    """All rows of the folds as rows to learn from: what the mean of their models has seen."""
    every = np.unique(np.concatenate([rows for parts in folds for rows in (parts.fit, parts.held, parts.test)]))
    return Parts(every, every[:0], every[:0], folds[0].notes)


def _rows(store: Store, by: str, among: np.ndarray | None = None) -> _Rows:
    """What there is to part, and what was noticed of it."""
    kind, _, column = by.partition(":")
    ids = np.flatnonzero(store.labelled)
    ids = ids if among is None else np.intersect1d(ids, among, assume_unique=True)
    notes: list[str] = []
    unknown = int((~has_value(store.target)).sum())
    if unknown:
        if store.schema.image is None:
            notes.append(said("{rows:,} rows without a target are left out", rows=unknown))
        else:
            notes.append(said("{rows:,} rows without a target or an image that can be read are left out", rows=unknown))
    if kind == "time":
        dated = ~np.isnan(store.roles["time"][ids]) | store.test[ids]
        if not dated.all():
            undated = int((~dated).sum())
            notes.append(said("{rows:,} rows without a time in {column!r} are left out", rows=undated, column=column))
        ids = ids[dated]
    own = ~np.asarray(store.test[ids])
    strata = np.zeros(len(ids), dtype=np.int64)  # a test file's targets have no say in how the others are parted
    strata[own] = _strata(np.asarray(store.target[ids[own]]), classes=store.schema.classes is not None)
    if kind == "time":
        units = np.asarray(store.roles["time"][ids])
    elif kind == "group":
        groups = np.asarray(store.roles["group"][ids])
        units = first_alike(np.where(groups < 0, -1 - np.arange(len(ids)), groups))
    else:
        values = (rows_of_input(v, ids) for v in store.inputs.values())
        copies = first_alike(store.roles[COPIES][ids] if COPIES in store.roles else row_keys(values))
        units, more = _kept_together(copies, own)
        notes += more
    return _Rows(kind, ids, own, strata, units, tuple(notes))


def _kept_together(copies: np.ndarray, own: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """The units of a random split: rows with equal inputs, unless there are too few others to part."""
    different = len(np.unique(copies[own]))
    repeated = int(own.sum()) - different
    if different < FEWEST_UNITS and repeated:
        few = said("only {rows} different rows of inputs: too few to keep equal rows on one side", rows=different)
        return np.arange(len(copies)), [few]
    return copies, []


def _require_units(rows: _Rows, by: str, least: int) -> None:
    """Refuse a column that parts the rows into too few groups or times."""
    found = len(np.unique(rows.units[rows.own]))
    if rows.kind != "random" and found < least:
        what = "groups" if rows.kind == "group" else "times"
        raise AurifyError(
            f"column {by.partition(':')[2]!r} holds {found} different {what} in rows with a target; a split by"
            f" {rows.kind} needs at least {least}: choose another column or --split random"
        )


def _checked(store: Store, rows: _Rows, fit: np.ndarray, held: np.ndarray, test: np.ndarray) -> Parts:
    """Parts from masks (n,); refuses an empty one, and one class alone to learn from."""
    parts = Parts(rows.ids[fit], rows.ids[held], rows.ids[test])
    for name, part in (("held-out", parts.held), ("test", parts.test)):
        if len(part) == 0:
            raise AurifyError(f"{len(rows.ids)} labelled rows are too few: the {name} part would be empty")
    _require_learnable(store, parts)
    return parts


def _require_learnable(store: Store, parts: Parts) -> None:
    if len(parts.fit) == 0:
        raise AurifyError(f"{len(parts.held)} labelled rows are too few: the training part would be empty")
    if store.schema.classes is not None and len(np.unique(store.target[parts.fit], axis=0)) < 2:
        what = "class" if store.schema.labels is None else "combination of labels"
        raise AurifyError(f"the training part holds only one {what}; give more rows or another seed")


def _say_rare(store: Store, test: np.ndarray) -> list[str]:
    """Say which classes are too rare to be measured."""
    classes = store.schema.classes or ()
    if store.schema.labels is not None:
        held = store.target[test].sum(0, dtype=np.int64)
        counts = np.minimum(held, len(test) - held)  # rows that lack a label are needed as much as those that hold it
    else:
        counts = np.bincount(store.target[test], minlength=len(classes)) if classes else ()
    rare = [f"{name!r} ({count})" for name, count in zip(classes, counts, strict=True) if count < RARE]
    shown: str = ", ".join(rare[:SHOWN])
    if len(rare) > SHOWN:
        shown = said("{names} and {count:,} more", names=shown, count=len(rare) - SHOWN)
    return [said("too few test rows to measure these classes by: {classes}", classes=shown)] if rare else []


def _strata(target: np.ndarray, *, classes: bool) -> np.ndarray:
    """Classes themselves, or which of ten equally filled ranges a number lies in; of several labels, combinations."""
    if target.ndim == 2:
        return _combinations(target)
    if classes:
        return target
    bins = min(BINS, max(1, len(target) // 20))
    edges = np.quantile(target, np.linspace(0, 1, bins + 1)[1:-1])
    return np.searchsorted(edges, target, side="right")


def _combinations(target: np.ndarray) -> np.ndarray:
    """Which combination of labels (n, K) each row holds; of a rare combination, which is its rarest label.

    The rarest label is what a split is most likely to get wrong, as in Sechidis et al. (2011).
    """
    held = target > 0
    kinds, codes, counts = np.unique(held, axis=0, return_inverse=True, return_counts=True)
    codes = codes.reshape(-1)
    totals = held.sum(0)
    rarest = np.where(kinds.any(1), np.where(kinds, totals, len(held) + 1).argmin(1), held.shape[1])
    merged = np.where(counts < RARE, len(kinds) + rarest, np.arange(len(kinds)))
    return merged[codes]
