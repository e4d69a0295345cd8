"""Seconds and peak memory of ``aurify inspect``, as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.planting.bases import DATA

SECONDS, MEGABYTES = 20, 1536
TEXT_SECONDS = 30
MILLIONS = (1, 2, 4)
CALL = "from aurify.cli import main; main()"
PIECE_ROWS = 500_000


def cost() -> dict[str, Any]:
    """The weather's 142,193 rows and 62,774 reviews against the targets, and drawn ones of up to four million rows."""
    with tempfile.TemporaryDirectory() as place:
        folder, found = Path(place), {}
        archive = DATA / "weather_aus" / "weatherAUS.csv.zip"
        if archive.exists():
            path = Path(zipfile.ZipFile(archive).extract("weatherAUS.csv", folder))
            weather = measured(path, "RainTomorrow")
            met = weather["seconds"] <= SECONDS and weather["peak_megabytes"] <= MEGABYTES
            found["weather"] = {**weather, "met": met}
            path.unlink()
        else:
            found["weather"] = {"skipped": f"no data at {archive}"}
        found["reviews"] = _reviews(folder)
        for millions in MILLIONS:
            path = folder / "drawn.csv"
            write_table(path, millions * 1_000_000)
            found[f"{millions}M rows"] = {**measured(path, "label"), "megabytes": round(path.stat().st_size / 1e6)}
            path.unlink()
        return found


def _reviews(folder: Path) -> dict[str, Any]:
    """62,774 Chinese reviews of ten kinds, with the kind as target."""
    archive = DATA / "online_shopping_10_cats" / "online_shopping_10_cats.zip"
    if not archive.exists():
        return {"skipped": f"no data at {archive}"}
    with zipfile.ZipFile(archive) as held:
        path = Path(held.extract(next(name for name in held.namelist() if name.endswith(".csv")), folder))
    reviews = measured(path, "cat")
    path.unlink()
    return {**reviews, "met": reviews["seconds"] <= TEXT_SECONDS}


def measured(path: Path, target: str) -> dict[str, float]:
    """Seconds and peak resident memory of one inspection, imports and all."""
    command = [
        sys.executable,
        "-c",
        "from aurify.cli import main; main()",
        "inspect",
        str(path),
        "--target",
        target,
        "--json",
    ]
    began = time.monotonic()
    with Path(os.devnull).open("w") as nowhere:
        process = subprocess.Popen(command, stdout=nowhere, stderr=subprocess.PIPE)
        assert process.stderr is not None
        said = process.stderr.read().decode(errors="replace")
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 3):
        raise SystemExit(f"inspect {path.name} ended with {process.returncode}: {said[-500:]}")
    return {"seconds": round(time.monotonic() - began, 1), "peak_megabytes": round(usage.ru_maxrss / 1024)}


def write_table(path: Path, rows: int) -> None:
    """Twenty columns: floats, counts, categories of 4 to 256 values, a date and a label that two of them tell."""
    random = np.random.default_rng(0)
    with path.open("wb") as file:
        for begin in range(0, rows, PIECE_ROWS):
            count = min(PIECE_ROWS, rows - begin)
            columns: dict[str, Any] = {f"real {i}": random.normal(size=count).round(4) for i in range(8)}
            columns |= {f"count {i}": random.integers(0, 10 ** (i + 2), count) for i in range(4)}
            columns |= {f"kind {i}": random.integers(0, 4 ** (i % 4 + 1), count) for i in range(6)}
            columns["day"] = np.datetime64("2015-01-01", "D") + random.integers(0, 3000, count)
            known = columns["real 0"] + columns["real 1"] + random.normal(size=count)
            columns["label"] = np.where(known > 0, "yes", "no")
            kinds = [(pl.lit("value ") + pl.col(f"kind {i}").cast(pl.String)).alias(f"kind {i}") for i in range(6)]
            frame = pl.DataFrame(columns).with_columns(kinds)
            frame.write_csv(file, include_header=begin == 0)
