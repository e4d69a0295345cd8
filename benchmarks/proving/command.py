"""The words of ``benchmarks/ledger.py`` and its answer: one JSON line."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

from benchmarks.proving.coverage import coverage
from benchmarks.proving.placebo import placebo
from benchmarks.proving.power import power

SETS = {"coverage": 2_000, "placebo": 200, "power": 75}


def main(description: str) -> None:
    asked, began = _words(description), time.monotonic()
    sets = asked.sets or SETS[asked.mode]
    match asked.mode:
        case "coverage":
            result = coverage(sets, asked.seeds)
        case "placebo":
            result = placebo(sets, asked.seeds, asked.workers, asked.kept)
        case _:
            result = power(sets, asked.seeds, asked.workers, asked.kept)
    print(json.dumps({**result, "seeds": asked.seeds, "seconds": round(time.monotonic() - began)}))


def _words(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_mutually_exclusive_group(required=True)
    for mode in SETS:
        modes.add_argument(f"--{mode}", dest="mode", action="store_const", const=mode)
    parser.add_argument("--sets", type=int, help="data sets to draw")
    parser.add_argument("--seeds", choices=("tune", "held"), default="tune", help="held: for the last count")
    parser.add_argument("--workers", type=int, default=1, help="processes of --placebo and --power")
    parser.add_argument("--kept", type=Path, help="file of what these found, a line a data set: to go on after a stop")
    return parser.parse_args()
