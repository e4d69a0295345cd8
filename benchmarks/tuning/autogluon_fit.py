"""AutoGluon on one table; run by the Python of an environment of its own, which need not have aurify.

    python autogluon_fit.py FOLDER

reads order.json, learnt.parquet and tested.parquet there, and writes answers.parquet and found.json.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path


def main(folder: Path) -> None:
    order = json.loads((folder / "order.json").read_text())
    began = time.monotonic()

    import autogluon.tabular as tabular  # pyright: ignore[reportMissingImports]
    import pandas as pd

    learnt, tested = (pd.read_parquet(folder / f"{part}.parquet") for part in ("learnt", "tested"))
    metric = {"rmse": "root_mean_squared_error"}.get(order["metric"], order["metric"])
    kind = {} if order["positive"] is None else {"positive_class": order["positive"]}
    predictor = tabular.TabularPredictor(
        order["target"],
        problem_type="regression" if order["positive"] is None else "binary",
        eval_metric=metric,
        path=str(folder / "models"),
        verbosity=1,
        **kind,
    )
    imported = time.monotonic()
    predictor.fit(learnt, presets=order["preset"], time_limit=order["seconds"], num_cpus=order["cores"])
    fitted = time.monotonic()
    if order["positive"] is None:
        answers = predictor.predict(tested)
    else:
        answers = predictor.predict_proba(tested)[order["positive"]]
    pd.DataFrame({"answer": answers.to_numpy(dtype="float64")}).to_parquet(folder / "answers.parquet")
    found = {
        "autogluon": tabular.__version__,
        "fit_seconds": round(fitted - imported, 2),
        "predict_seconds": round(time.monotonic() - fitted, 2),
        "import_seconds": round(imported - began, 2),
        "models": len(predictor.model_names()),
        "best": predictor.model_best,
        "validated": round(float(predictor.leaderboard()["score_val"].max()), 6),
    }
    (folder / "found.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
