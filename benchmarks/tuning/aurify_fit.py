"""`aurify.tune` on one table, in a process of its own; the same files as ``autogluon_fit.py``.

    python -m benchmarks.tuning.aurify_fit FOLDER

reads order.json, learnt.csv and tested.csv there, and writes answers.parquet and found.json.
The tested rows lie sealed in the run, as those of any run do; its model answers for them only after the search.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import polars as pl

import aurify


def main(folder: Path) -> None:
    order = json.loads((folder / "order.json").read_text())
    began = time.monotonic()
    tuned = aurify.tune(
        folder / "learnt.csv",
        order["target"],
        test=folder / "tested.csv",
        positive=order["positive"],
        metric=order["metric"],
        seed=order["seed"],
        workers=order["cores"],
        inspect=False,
        out=folder / "run",
        force=True,
        **order["words"],
    )
    searched = time.monotonic()
    if order["words"].get("compare"):
        found = {"compare": tuned.plain["compare"]}
    else:
        answer = "prediction" if order["positive"] is None else f"p_{order['positive']}"
        answers = tuned.predict(folder / "tested.csv")[answer].cast(pl.Float64)
        pl.DataFrame({"answer": answers}).write_parquet(folder / "answers.parquet")
        told = ("wall", "stopped", "picked", "remeasured", "ensemble")
        found = {name: tuned.plain[name] for name in told} | {"trials": tuned.trials.height}
    timed = {"fit_seconds": round(searched - began, 2), "predict_seconds": round(time.monotonic() - searched, 2)}
    (folder / "found.json").write_text(json.dumps({**found, **timed}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
