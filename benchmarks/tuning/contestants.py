"""Whoever is raced, each in a process of its own on the same two cores, with its whole process on the clock."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.tuning.tables import Table
from benchmarks.tuning.watching import Watching

ROOT = Path(__file__).resolve().parents[2]


def aurify(table: Table, seed: int, cores: int, words: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Tune with these words; ``found`` and ``seconds`` of the process, ``answers`` (n,) and ``models`` as they came."""
    learnt, tested = table.parts(seed)
    folder.mkdir(parents=True, exist_ok=True)
    learnt.write_csv(folder / "learnt.csv")
    tested.write_csv(folder / "tested.csv")
    _order(folder, table, {"seed": seed, "cores": cores, "words": dict(words)})
    with Watching(folder / "run" / "model.aurify", folder / "models") as watching:
        command = [sys.executable, "-m", "benchmarks.tuning.aurify_fit", str(folder)]
        seconds = process(command, cores, folder, threads_of_one())
    return {**_result(folder, seconds), "models": watching.seen}


def autogluon(
    table: Table, seed: int, cores: int, order: Mapping[str, Any], python: Path, folder: Path
) -> dict[str, Any]:
    """Fit with the ``preset`` and the ``seconds`` of an order, with threads as it chooses; without ``models``."""
    learnt, tested = table.parts(seed)
    folder.mkdir(parents=True, exist_ok=True)
    learnt.write_parquet(folder / "learnt.parquet")
    tested.drop(table.target).write_parquet(folder / "tested.parquet")
    _order(folder, table, {**order, "cores": cores})
    program = Path(__file__).with_name("autogluon_fit.py")
    free = {name: value for name, value in os.environ.items() if name not in ("OMP_NUM_THREADS", "PYTHONPATH")}
    return _result(folder, process([str(python), str(program), str(folder)], cores, folder, free))


def threads_of_one(more: Sequence[Path] = ()) -> dict[str, str]:
    """The environment of a program that has its processes take one thread each; ``more`` is where packages lie."""
    paths = os.pathsep.join(map(str, (ROOT, *more)))
    return {**os.environ, "OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "PYTHONPATH": paths}


def process(command: Sequence[str], cores: int, folder: Path, env: Mapping[str, str]) -> float:
    """Run a command on so many cores; its seconds. What it says goes to ``log.txt`` in the folder."""
    began = time.monotonic()
    with limited(cores):
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, cwd=ROOT)
    seconds = time.monotonic() - began
    (folder / "log.txt").write_text(done.stdout + done.stderr)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return seconds


@contextmanager
def limited(cores: int) -> Iterator[None]:
    """Whatever is begun inside may use so many cores of those that this process may use."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, set(sorted(before)[:cores]))
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _order(folder: Path, table: Table, more: Mapping[str, Any]) -> None:
    about = {"target": table.target, "positive": table.positive, "metric": table.metric}
    (folder / "order.json").write_text(json.dumps({**about, **more}))


def _result(folder: Path, seconds: float) -> dict[str, Any]:
    file = folder / "answers.parquet"
    answers = pl.read_parquet(file)["answer"].to_numpy() if file.exists() else np.empty(0)
    return {"found": json.loads((folder / "found.json").read_text()), "seconds": round(seconds, 2), "answers": answers}
