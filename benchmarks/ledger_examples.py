"""The ledgers of docs/ledger-examples.md: ablate a real table, draw its pictures, print one JSON line.

ledger_examples.py telco | adult | california | weather | cifar10 [DESIGNS, such as leave_one_out,cumulative]
"""

from __future__ import annotations

import json
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import polars as pl
from images.contests import unpacked
from tables import DATA

import aurify

HERE = Path(__file__).resolve().parent.parent
PICTURES = HERE / "docs" / "ledger"
CHARTS = ("ledger_leave_one_out", "ledger_cost", "ledger_cumulative")
SCALE = 1.5
ADULT = [
    *("age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship"),
    *("race", "sex", "capital_gain", "capital_loss", "hours_per_week", "native_country", "income"),
]


def telco(folder: Path) -> dict[str, Any]:
    return {"run": HERE / "aurify" / "examples" / "telco_churn.csv", "target": "Churn"}


def adult(folder: Path) -> dict[str, Any]:
    """The official split, whose test part no ledger looks at."""
    for part in ("train", "test"):
        frame = pl.read_csv(DATA / "adult" / f"adult-{part}.csv", has_header=False, new_columns=ADULT)
        frame.drop_nulls("income").write_csv(folder / f"adult_{part}.csv")
    return {"run": folder / "adult_train.csv", "target": "income", "test": folder / "adult_test.csv"}


def california(folder: Path) -> dict[str, Any]:
    """Shuffled: the file is sorted by place."""
    frame = pl.read_csv(DATA / "california_housing" / "housing.csv").sample(fraction=1, shuffle=True, seed=0)
    frame.write_csv(folder / "california.csv")
    return {"run": folder / "california.csv", "target": "median_house_value"}


def weather(folder: Path) -> dict[str, Any]:
    zipfile.ZipFile(DATA / "weather_aus" / "weatherAUS.csv.zip").extract("weatherAUS.csv", folder)
    words = {"target": "RainTomorrow", "drop": ["RISK_MM"], "split": "time:Date"}
    return {"run": folder / "weatherAUS.csv", **words}


def cifar10(folder: Path) -> dict[str, Any]:
    """Photographs of ten classes, whose test part no ledger looks at; short trainings, for each takes seconds."""
    return {"run": unpacked("cifar10", folder), "inspect": False, "rows": 1_000, "steps": 16}


def main() -> None:
    tables = {made.__name__: made for made in (telco, adult, california, weather, cifar10)}
    name, designs = sys.argv[1], sys.argv[2].split(",") if len(sys.argv) > 2 else None
    folder = Path("runs") / f"{name}-data"
    folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    ledger = aurify.ablate(**tables[name](folder), designs=designs, out=Path("runs") / f"{name}-ablated")
    seconds = time.monotonic() - began
    PICTURES.mkdir(exist_ok=True)
    for chart in CHARTS:
        if chart in dir(ledger.plot):
            getattr(ledger.plot, chart)().save(
                PICTURES / f"{name}_{chart.removeprefix('ledger_')}.png", scale_factor=SCALE
            )
    rows = ledger.effects.select("technique", "design", "gain", "low", "high", "verdict", "pairs").to_dicts()
    about = {k: ledger.plain[k] for k in ("metric", "learnt", "steps", "planned", "apart")}
    trained = sum(t["seconds"] for t in ledger.plain["trainings"])
    print(json.dumps({"table": name, "seconds": seconds, "core_seconds_of_training": trained, **about, "rows": rows}))


if __name__ == "__main__":
    main()
