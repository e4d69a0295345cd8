"""The words of ``benchmarks/tune.py`` and its answer: one JSON line."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.tuning.cache import Cache, machine

CACHE = Path(tempfile.gettempdir()) / "aurify-tune-cache"


def main(description: str) -> None:
    asked, began = _words(description), time.monotonic()
    result = _found(asked)
    print(json.dumps({**result, "machine": machine(), "benchmark_seconds": round(time.monotonic() - began)}))


def _found(asked: argparse.Namespace) -> dict[str, Any]:
    match asked.mode:
        case "race":
            from benchmarks.tuning.race import Race

            words = {"trials": asked.trials or 16}
            cache = Cache(asked.cache / "race.jsonl")
            race = Race(cache, asked.seeds, asked.workers, asked.peers, words, asked.on)
            return race.peers_alone() if asked.peers_alone else race.run()
        case "budget":
            from benchmarks.tuning.budget import Budget

            cache = Cache(asked.cache / "budget.jsonl")
            budget = Budget(cache, asked.budget, asked.seed, asked.workers, asked.autogluon, asked.on)
            return budget.peers_alone() if asked.peers_alone else budget.run()
        case "overhead":
            from benchmarks.tuning.overhead import overhead

            return overhead(asked.trials or 2_000, asked.on)
        case "functions":
            from benchmarks.tuning.functions import functions

            return functions(asked.trials or 40, asked.repeats or 20, asked.on)
        case _:
            from benchmarks.tuning.compare import compare

            return compare(asked.trials or 20, asked.repeats or 5, asked.workers, asked.on)


def _words(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_mutually_exclusive_group(required=True)
    for mode in ("race", "overhead", "functions", "tables"):
        modes.add_argument(f"--{mode}", dest="mode", action="store_const", const=mode)
    modes.add_argument("--budget", type=float, metavar="SECONDS")
    parser.add_argument("--on", type=lambda text: text.split(","), default=[], help="tables, functions or methods only")
    parser.add_argument("--seeds", type=int, default=5, help="splits of --race")
    parser.add_argument("--seed", type=int, default=0, help="split of --budget")
    parser.add_argument("--trials", type=int, help="of a search")
    parser.add_argument("--repeats", type=int, help="of --functions and --tables")
    parser.add_argument("--workers", type=int, default=2, help="cores of everybody")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of what peers scored")
    parser.add_argument("--peers", type=Path, action="append", default=[], help="folder with scikit-optimize")
    parser.add_argument("--autogluon", type=Path, default=Path("/tmp/autogluon/bin/python"), help="its Python")
    parser.add_argument("--peers-alone", action="store_true", help="of --race and --budget: fill the cache only")
    asked = parser.parse_args()
    asked.mode = "budget" if asked.budget is not None else asked.mode
    return asked
