"""`aurify fit` on the bundled telco table, end to end: seconds, ROC AUC, paired difference to logistic regression.

Every seed draws another split of the 7,043 rows: what one split says is little more than luck, so the median difference
over the seeds stands beside the first one's interval.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Any

import aurify

COMMAND = str(Path(sysconfig.get_path("scripts")) / "aurify")
TABLE = Path(aurify.__file__).parent / "examples" / "telco_churn.csv"
METRIC = "roc_auc"


def fit(seed: int) -> dict[str, Any]:
    """Fit once in a process of its own; the summary it prints, with the whole process's seconds."""
    with tempfile.TemporaryDirectory() as place:
        words = [
            COMMAND,
            "fit",
            str(TABLE),
            "--target",
            "Churn",
            "--seed",
            str(seed),
            "--out",
            f"{place}/run",
            "--json",
        ]
        began = time.monotonic()
        done = subprocess.run(words, check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
        return {**json.loads(done.stdout), "process_seconds": time.monotonic() - began}


def rounded(score: dict[str, float]) -> dict[str, float]:
    return {name: round(score[name], 4) for name in ("value", "low", "high")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    summaries = [fit(seed) for seed in range(parser.parse_args().seeds)]
    first = summaries[0]
    differences = [s["differences"]["linear"][METRIC]["value"] for s in summaries]
    print(
        json.dumps(
            {
                "benchmark": "telco",
                "seconds": round(statistics.median(s["process_seconds"] for s in summaries), 2),
                "training_seconds": round(statistics.median(s["training"]["seconds"] for s in summaries), 2),
                METRIC: rounded(first["scores"][METRIC]),
                "against_linear": {**rounded(first["differences"]["linear"][METRIC]), "seed": 0},
                "over_seeds": {
                    METRIC: round(statistics.mean(s["scores"][METRIC]["value"] for s in summaries), 4),
                    "linear": round(statistics.mean(s["baselines"]["linear"][METRIC] for s in summaries), 4),
                    "boosting": round(statistics.mean(s["baselines"]["boosting"][METRIC] for s in summaries), 4),
                    "median_difference_to_linear": round(statistics.median(differences), 4),
                    "seeds": len(summaries),
                },
                "rows": first["rows"],
            }
        )
    )


if __name__ == "__main__":
    main()
