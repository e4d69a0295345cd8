"""Ledgers of many data sets: what they say of placebos, and of planted effects."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
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


def made(work: Callable[[Case], list[Row]], cases: Sequence[Case], workers: int, kept: Path | None) -> list[Row]:
    """The rows of every ledger, made in processes of their own; those of ``kept`` are not made again, others added."""
    lines = kept.read_text().splitlines() if kept is not None and kept.exists() else []
    rows = [Row(**plain) for line in lines for plain in json.loads(line)]
    done = {(row.kind, row.number) for row in rows}
    missing = [case for case in cases if (case.kind.name, case.number) not in done]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for made in pool.map(work, missing):
            rows += made
            if kept is not None:
                with kept.open("a") as file:
                    file.write(json.dumps([asdict(row) for row in made]) + "\n")
    return rows
