"""Ledgers of many data sets: what they say of placebos, and of planted effects."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from typing import Any

from aurify.core import rng
from benchmarks.proving.tables import Kind


@dataclass(frozen=True)
class Case:
    """One data set to make a ledger of: the ``number`` of its kind; ``first`` is where the kind's rows begin."""

    kind: Kind
    number: int
    first: int
    seeds: str
    worth: float | None = None

    @property
    def seed(self) -> int:
        return rng.key(0, f"{self.seeds}/{self.kind.name}/ledger", self.number)


@dataclass(frozen=True)
class Row:
    """One row of one ledger: the ``kind`` of data set, what was tried, and what was said of it."""

    kind: str
    number: int
    name: str
    gain: float
    p: float
    verdict: str
    sees: float
    pairs: int


def rows_of(case: Case, ledger: dict[str, Any]) -> list[Row]:
    """The rows of a ledger. Raises RuntimeError where one failed: a proof must not lose any."""
    found = []
    for row in ledger["effects"]:
        if row["verdict"] == "failed":
            raise RuntimeError(f"{case.kind.name} {case.number}: {row['technique']} failed: {row['reason']}")
        name = f"{row['technique']}={row['value']}"
        values = (row[key] for key in ("gain", "p", "verdict", "sees", "pairs"))
        found.append(Row(case.kind.name, case.number, name, *values))
    return found


def dealt(shares: Sequence[tuple[Kind, float]], sets: int, seeds: str) -> list[Case]:
    """So many data sets, each kind's share of them, kinds in turn; those of the weather share no row."""
    counts = [max(1, round(share * sets)) for _, share in shares]
    taken, cases = 0, []
    for (kind, _), count in zip(shares, counts, strict=True):
        cases += [(at / count, Case(kind, at, taken, seeds)) for at in range(count)]
        taken += kind.rows * count if kind.base == "weather" else 0
    return [case for _, case in sorted(cases, key=lambda each: each[0])]


def made(work: Callable[[Case], list[Row]], cases: Sequence[Case], workers: int) -> Iterator[Row]:
    """The rows of every ledger, in processes of their own; each is told on standard error as soon as it is there."""
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for rows in pool.map(work, cases):
            sys.stderr.write(json.dumps([asdict(row) for row in rows]) + "\n")
            sys.stderr.flush()
            yield from rows
