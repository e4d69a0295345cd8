"""What the report of the bundled table costs: from the saved scores to `report.html`, and from the prompt to it.

Targets: 5 s after the fit, 60 s from the prompt, 2 MB. Medians of rounds, wall clock, whole processes; `made_again` is
`aurify report` on the finished run, which measures nothing anew.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sysconfig
import tempfile
import time
from importlib.resources import files
from pathlib import Path

ROUNDS = 5
COMMAND = str(Path(sysconfig.get_path("scripts")) / "aurify")
TARGETS = {"after_the_scores": 5.0, "from_the_prompt": 60.0}
MOST_BYTES = 2_000_000


def seconds(*words: object) -> float:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    began = time.monotonic()
    subprocess.run([COMMAND, *map(str, words)], check=True, capture_output=True, env=environment)
    return time.monotonic() - began


def one_round(run: Path) -> dict[str, float]:
    table = files("aurify") / "examples" / "telco_churn.csv"
    whole = seconds("fit", table, "--target", "Churn", "--out", run)
    after = (run / "report.html").stat().st_mtime - (run / "scores.json").stat().st_mtime
    return {"from_the_prompt": whole, "after_the_scores": after, "made_again": seconds("report", run)}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rounds = [one_round(Path(folder) / str(number)) for number in range(ROUNDS)]
        size = (Path(folder) / "0" / "report.html").stat().st_size
        evidence = (Path(folder) / "0" / "evidence.json").stat().st_size
    medians = {name: round(statistics.median(r[name] for r in rounds), 2) for name in rounds[0]}
    met = {name: medians[name] <= most for name, most in TARGETS.items()} | {"bytes": size <= MOST_BYTES}
    found = {"seconds": medians, "targets": TARGETS, "bytes": size, "evidence_bytes": evidence, "met": met}
    print(json.dumps({"benchmark": "report", **found, "rounds": ROUNDS}))


if __name__ == "__main__":
    main()
