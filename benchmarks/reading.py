"""Seconds and peak memory of reading a CSV file of 1,000,000 rows and 20 columns, beside `pandas.read_csv`.

Each reads in a process of its own, in turn, import included: with one thread (pinned to one core) and as they come.
Peak memory is the kernel's VmHWM of the process. Targets: less of both than pandas, as they come.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

ROWS, ROUNDS = 1_000_000, 5
READ = {
    "aurify": "from aurify.data.sources import read_frame; rows = read_frame(sys.argv[1]).frame.height",
    "pandas": "import pandas; rows = len(pandas.read_csv(sys.argv[1]))",
}
MEASURE = """
import os, sys, time
pin = sys.argv[2] == "one thread"
if pin:
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
began = time.monotonic()
READ
seconds = time.monotonic() - began
peak = int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) / 1024
print(rows, seconds, peak)
"""


def write_table(path: Path) -> None:
    """Eight columns of floats, four of integers, six of 4 to 256 categories, a date and a label."""
    random = np.random.default_rng(0)
    columns: dict[str, object] = {f"real {i}": random.normal(size=ROWS).round(4) for i in range(8)}
    columns |= {f"count {i}": random.integers(0, 10 ** (i + 2), ROWS) for i in range(4)}
    columns |= {f"kind {i}": random.choice([f"value {k}" for k in range(4 ** (i % 4 + 1))], ROWS) for i in range(6)}
    columns["day"] = (np.datetime64("2015-01-01") + random.integers(0, 3000, ROWS)).astype(str)
    columns["label"] = random.choice(["yes", "no"], ROWS)
    pl.DataFrame(columns).write_csv(path)


def measured(reader: str, threads: str, path: Path) -> dict[str, float]:
    environment = {k: v for k, v in os.environ.items() if k not in ("OMP_NUM_THREADS", "POLARS_MAX_THREADS")}
    code = MEASURE.replace("READ", READ[reader])
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-c", code, str(path), threads]
    found = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.split()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert int(found[0]) == ROWS
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": float(found[1]), "cpu_seconds": cpu, "peak_mb": float(found[2])}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write_table(path)
        found = {}
        for threads in ("one thread", "as they come"):
            for reader in READ:  # the first time writes byte code
                measured(reader, threads, path)
            rounds = [{reader: measured(reader, threads, path) for reader in READ} for _ in range(ROUNDS)]
            median = {
                reader: {key: round(statistics.median(r[reader][key] for r in rounds), 3) for key in rounds[0][reader]}
                for reader in READ
            }
            ratios = {
                key: round(statistics.median(r["aurify"][key] / r["pandas"][key] for r in rounds), 3)
                for key in rounds[0]["aurify"]
            }
            found[threads] = {**median, "ratios": ratios}
        size = round(path.stat().st_size / 1e6)
    free = found["as they come"]["ratios"]
    met = {key: free[key] < 1 for key in ("seconds", "peak_mb")}
    print(json.dumps({"benchmark": "reading", "rows": ROWS, "megabytes": size, **found, "met": met, "rounds": ROUNDS}))


if __name__ == "__main__":
    main()
