"""The words of ``benchmarks/control.py`` and its answer: one JSON line."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.acting import contests, stacked
from benchmarks.tuning.cache import machine


def main(description: str) -> None:
    asked, began = _words(description), time.monotonic()
    if asked.out is None:
        with tempfile.TemporaryDirectory(prefix="aurify-control-") as folder:
            found = _found(asked, Path(folder))
    else:
        found = _found(asked, asked.out)
    told = {"mode": asked.mode, **found, "machine": machine()}
    print(json.dumps({**told, "benchmark_seconds": round(time.monotonic() - began)}))


def _found(asked: argparse.Namespace, folder: Path) -> dict[str, Any]:
    if asked.mode in contests.PLAYED:
        return contests.played(asked.mode, asked.seeds, asked.steps, asked.sb3, asked.sb3_seeds, folder)
    if asked.mode in contests.SOLVED:
        return contests.solved(asked.mode, asked.seeds, asked.steps, folder)
    return stacked.measured(asked.seeds or 16, asked.steps or 20_000, asked.rounds, folder)


def _words(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=(*contests.PLAYED, *contests.SOLVED, "stacked"))
    parser.add_argument("--seeds", type=int, help="of ours")
    parser.add_argument("--steps", type=int, help="of each agent")
    parser.add_argument("--rounds", type=int, default=3, help="of stacked")
    parser.add_argument("--sb3", type=Path, metavar="PYTHON", help="of an environment with stable-baselines3")
    parser.add_argument("--sb3-seeds", type=int, default=3, help="of Stable-Baselines3")
    parser.add_argument("--out", type=Path, metavar="DIR", help="empty folder to keep the runs in")
    return parser.parse_args()
