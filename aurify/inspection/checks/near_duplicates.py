"""Copies of rows with small changes: a cell blanked or changed, numbers moved a little."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from aurify.core import rng
from aurify.core.parts import Trait
from aurify.core.words import said
from aurify.data.columns import Column
from aurify.data.copies import row_keys
from aurify.data.findings import NOTE, WARNING, Finding
from aurify.inspection.alike import ids_of, side_by_side
from aurify.inspection.check import Check
from aurify.inspection.inspected import Inspected
from aurify.inspection.nearness import RARE, Cells, chances, nearest

FEWEST_ROWS = 50
"""Different rows without which nobody knows how near rows come."""

FEW = 0.01
"""A share of rows beyond chance that costs no score that could be measured."""

FEWEST = 5
"""Rows that are worth a word."""

CERTAIN = 1e-4
"""The chance of rows that are counted where they are few."""

MOST_ROWS = 250_000
"""Rows that are looked at; of more a drawn part, in which as few copies meet their original as rows were drawn."""


class NearDuplicates(Check):
    """Rows whose nearest row is far nearer than the ones after it, as rows of this very table come.

    Equal rows count once here: they are found by themselves. Rows of the test part are compared by their inputs.
    """

    needs = frozenset({Trait.COLUMNS})

    def look(self, seen: Inspected) -> Iterable[Finding]:
        every = np.concatenate([seen.rows, seen.test])
        drawn = seen.drawn(len(every), MOST_ROWS, "inspect/near_duplicates")
        kept, every = len(drawn) / max(1, len(every)), every[drawn]
        numbers, codes = _cells(seen, every)
        if not len(every) or not numbers.shape[1] + codes.shape[1]:
            return
        different = np.sort(np.unique(row_keys([numbers, codes]), return_index=True)[1])
        ids = np.concatenate([ids_of(seen, every[different]), _texts(seen, every[different])], axis=1)
        cells = Cells.of(
            numbers[different],
            np.concatenate([codes[different], ids], axis=1),
            rng.key(seen.seed, "inspect/near_duplicates/cells"),
        )
        if len(different) < FEWEST_ROWS or cells.place.shape[1] < 2:
            return
        seen.check()
        near = nearest(cells, rng.key(seen.seed, "inspect/near_duplicates"))
        chance = chances(near)
        share = float((chance < RARE).mean()) - RARE
        warned = share >= FEW * kept
        copies = np.flatnonzero(chance < (RARE if warned else CERTAIN))
        if len(copies) < FEWEST or (not warned and len(copies) < 10 * CERTAIN * len(chance)):
            return
        copies = copies[np.argsort(chance[copies], kind="stable")]
        yield self._finding(
            seen, every[different[copies]], every[different[near.row[copies, 0]]], len(different), warned
        )

    def _finding(self, seen: Inspected, rows: np.ndarray, others: np.ndarray, looked: int, warned: bool) -> Finding:
        tested = np.isin(np.stack([rows, others]), seen.test)
        across, inside = tested[0] != tested[1], ~tested.any(0)
        share = len(rows) / looked
        text = said(
            "{rows:,} of {looked:,} different rows ({share:.2%}) are near copies of another: they differ less than rows"
            " of this table come near by chance; {across:,} of them lie across the split",
            rows=len(rows),
            looked=looked,
            share=share,
            across=int(across.sum()),
        )
        evidence = {"share": share, "looked_at": looked, "across": int(across.sum())}
        if seen.classes is not None and inside.any():
            target = seen.store.target
            other = target[rows[inside]] != target[others[inside]]
            evidence["conflicting"] = int(other.reshape(len(other), -1).any(1).sum())
        fix = said(
            "keep one of each, or keep them on one side with --split group:COLUMN where a column names what they share"
        )
        pairs = [[int(row), int(other)] for row, other in zip(rows, others, strict=True)]
        shown = {tuple(sorted(pair)): pair for pair in pairs[:20]}
        return self.found(
            WARNING if warned else NOTE,
            text,
            fix=fix if warned else "",
            rows=rows,
            weight=share,
            evidence=evidence,
            exhibits=[side_by_side(seen, list(shown.values()), said("near copies, as they were written"))],
        )


def _cells(seen: Inspected, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and dates (n, a), and codes (n, b)."""

    def of(kind: str, columns: Sequence[Column]) -> np.ndarray:
        kept = [at for at, column in enumerate(columns) if column.name not in seen.hidden]
        return np.asarray(seen.store.inputs[kind][rows])[:, kept] if kept else np.empty((len(rows), 0))

    numbers = np.concatenate([of("numbers", seen.schema.numbers), of("dates", seen.schema.dates)], axis=1)
    return numbers, of("codes", seen.schema.categories).astype(np.int64)


def _texts(seen: Inspected, rows: np.ndarray) -> np.ndarray:
    """Hashes (n, c) of texts: rows with different ones differ in a cell more."""
    shown = [at for at, column in enumerate(seen.schema.texts) if column.name not in seen.hidden]
    if not shown:
        return np.empty((len(rows), 0), dtype=np.int64)
    return seen.store.inputs["texts"][rows].keys[:, shown]
