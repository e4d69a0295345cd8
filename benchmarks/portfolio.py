"""The recipes with which a search begins: candidates measured on public tables, and those kept that help one another.

    portfolio.py [--out FOLDER] [--minutes 25] [--candidates 26] [--write aurify/study/portfolio.yaml]

Tables, none of which is measured on elsewhere: those of scikit-learn, samples of 3,000 rows of weather and sgemm from
``$AURIFY_SHARED/data`` (absent: left out, and said), and drawn ones. First every candidate is trained on one fold of
each table (on all three of tables below 1,000 rows) for at most two thirds of the minutes; then those that a greedy
choice takes of them are trained on a second fold too, and the portfolio is chosen by both. What was trained has a line
under FOLDER; the same command goes on from there, and with ``--minutes 0`` chooses by what there is.

The choice (Feurer et al. 2022, Auto-sklearn 2.0; Salinas & Erickson 2024, TabRepo): the regret of a candidate on a
table is its distance to the best one, in units of the distance of the median one, at most 2; the next is the one with
which the mean over tables of the least regret so far, plus a tenth of its own, is smallest. The first must be cheap,
the second is the task's own recipe. How good that is on tables that had no say, `left_out` tells: each table in turn,
beside candidates at random.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    for name in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS"):
        os.environ.setdefault(name, "1")
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

import numpy as np

from aurify.training import device as devices
from benchmarks.choosing.bench import Bench, loss
from benchmarks.choosing.candidates import Entry, candidates
from benchmarks.choosing.choice import greedy, left_out, regrets, soonest
from benchmarks.choosing.tables import tables
from benchmarks.choosing.written import written

SIZE = 8
FINALISTS = 11
CHEAP = 2
"""Of the finalists, those that are there because they may be the first."""

FIRST_SECONDS = 0.8
"""Of a core that the first entry takes at most on 2,000 rows, on average: about a second on 5,000."""

KINDS = ("classify", "regress")


def main() -> None:
    asked, began = _words(), time.monotonic()
    devices.set_threads(1)
    found, absent = tables()
    benches = [Bench(table, asked.out) for table in found]
    entries = {kind: candidates(kind, asked.candidates) for kind in KINDS}
    every = {kind: [bench for bench in benches if bench.table.kind == kind] for kind in KINDS}
    race(benches, entries, began + 40 * asked.minutes)
    first = {kind: Measured.of(every[kind], entries[kind], final=False) for kind in KINDS}
    finish(every, {kind: first[kind].finalists() for kind in KINDS}, began + 60 * asked.minutes)
    chosen = {kind: Chosen.of(every[kind], entries[kind], first[kind]) for kind in KINDS}
    if asked.write:
        asked.write.write_text(written({kind: chosen[kind].told() for kind in KINDS}), encoding="utf-8")
    plain = {"benchmark": "portfolio", "absent": absent, **{kind: chosen[kind].plain() for kind in KINDS}}
    print(json.dumps({**plain, "seconds": round(time.monotonic() - began)}))


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("portfolio"), help="where trainings are kept")
    parser.add_argument("--minutes", type=float, default=25.0, help="of this call; what earlier ones made is kept")
    parser.add_argument("--candidates", type=int, default=26, help="of each kind of target")
    parser.add_argument("--write", type=Path, help="where to write the portfolio as YAML")
    return parser.parse_args()


def race(benches: Sequence[Bench], entries: dict[str, list[Entry]], until: float) -> None:
    """Train every candidate on the first folds, in order, until the clock says so."""
    for at in range(max(map(len, entries.values()))):
        for bench in benches:
            if time.monotonic() > until:
                return
            bench.make(entries[bench.table.kind][at], bench.first)


def finish(every: dict[str, list[Bench]], finalists: dict[str, list[Entry]], until: float) -> None:
    """Train finalists on the folds that they lack, the most promising first, until the clock says so."""
    for at in range(max(map(len, finalists.values()))):
        for kind in KINDS:
            for bench in every[kind]:
                if at < len(finalists[kind]) and time.monotonic() < until:
                    bench.make(finalists[kind][at], bench.last)


@dataclass(frozen=True)
class Measured:
    """Candidates that were trained on every table: losses (C, T), and a core's seconds (C,) on the larger tables."""

    entries: list[Entry]
    losses: np.ndarray
    seconds: np.ndarray

    @classmethod
    def of(cls, benches: Sequence[Bench], entries: Sequence[Entry], *, final: bool) -> Measured:
        whole, losses, seconds = [], [], []
        for entry in entries:
            answers = [bench.measured(entry, bench.last if final else bench.first) for bench in benches]
            if not all(answers):
                continue
            whole.append(entry)
            losses.append([np.mean([loss(a["scores"]) for a in each]) for each in answers if each])
            large = [a["seconds"] for b, each in zip(benches, answers, strict=True) for a in each or () if not b.small]
            seconds.append(np.mean(large))
        return cls(whole, np.array(losses), np.array(seconds))

    @property
    def regret(self) -> np.ndarray:
        return regrets(self.losses)

    def cheap(self, count: int) -> list[int]:
        """The best of those that take next to no time."""
        mean_C = np.where(self.seconds <= FIRST_SECONDS, self.regret.mean(axis=1), np.inf)
        return [int(at) for at in mean_C.argsort(kind="stable")[:count] if np.isfinite(mean_C[at])]

    def finalists(self) -> list[Entry]:
        """The recipe itself, the best cheap ones, and what a greedy choice adds to them."""
        begin = [0, *(at for at in self.cheap(CHEAP) if at)]
        return [self.entries[at] for at in greedy(self.regret, FINALISTS, begin)]


@dataclass(frozen=True)
class Chosen:
    """A portfolio, and what was measured of it: ``order`` are positions in ``final``."""

    benches: list[Bench]
    first: Measured
    final: Measured
    regret: np.ndarray
    order: list[int]

    @classmethod
    def of(cls, benches: list[Bench], entries: Sequence[Entry], first: Measured) -> Chosen:
        final = Measured.of(benches, entries, final=True)
        if len(final.entries) < SIZE or {} not in final.entries or not final.cheap(1):
            final = first  # the minutes were too few
        regret = regrets(final.losses, first.losses)
        order = greedy(regret, SIZE, [final.cheap(1)[0], final.entries.index({})])
        return cls(benches, first, final, regret, soonest(regret, final.seconds, order))

    def told(self) -> list[dict[str, Any]]:
        """Each entry with its regret alone, that of the best so far, and its seconds."""
        return [
            {
                "entry": self.final.entries[at],
                "alone": float(self.regret[at].mean()),
                "so_far": float(self.regret[self.order[:n]].min(axis=0).mean()),
                "seconds": float(self.final.seconds[at]),
            }
            for n, at in enumerate(self.order, 1)
        ]

    def plain(self) -> dict[str, Any]:
        """What the benchmark prints of one kind of target."""
        names, losses = [bench.table.name for bench in self.benches], self.final.losses
        rows = {
            "first": losses[self.order[0]],
            "recipe": losses[self.final.entries.index({})],
            "portfolio": losses[self.order].min(axis=0),
            "linear": [bench.linear(bench.last) for bench in self.benches],
        }
        begin = [self.first.cheap(1)[0], 0]
        return {
            "candidates": len(self.first.entries),
            "finalists": len(self.final.entries),
            "losses": {k: {n: round(float(v), 4) for n, v in zip(names, row, strict=True)} for k, row in rows.items()},
            "regret": [round(one["so_far"], 3) for one in self.told()],
            "alone": [round(one["alone"], 3) for one in self.told()],
            "seconds": [round(one["seconds"], 2) for one in self.told()],
            "left_out": left_out(self.first.regret, SIZE, begin),
        }


if __name__ == "__main__":
    main()
