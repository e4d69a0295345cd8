"""How good and how fast the default network is on four public tables, each beside its peers on the same test rows.

    tables.py telco | adult | california | california_file_order | weather | latency

The data is read from ``$AURIFY_SHARED/data`` (or ``../shared/data``); a table that is absent prints ``"skipped"``. One
run of a table is one look at its test rows: nothing here chooses a setting.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import polars as pl

import aurify
from aurify.measure.intervals import differences
from aurify.measure.predictions import Predictions

DATA = Path(os.environ.get("AURIFY_SHARED", Path(__file__).parents[2] / "shared")) / "data"
SPLITS = 20
LATENCY_REPEATS = 50


def fitted(frame: pl.DataFrame, target: str, test: pl.DataFrame | None = None, **words: Any) -> tuple[Any, float]:
    """A run with the default recipe, and its seconds from data to scores."""
    place = Path(tempfile.mkdtemp(prefix="aurify-tables-"))
    if test is not None:
        test.write_csv(place / "test.csv")
        words["test"] = place / "test.csv"
    began = time.monotonic()
    run = aurify.fit(frame, target, out=place / "run", **words)
    return run, time.monotonic() - began


def score(run: Any, metric: str) -> dict[str, Any]:
    """The network's score with its interval, the baselines beside it and the paired differences."""
    summary = run.summary
    return {
        metric: rounded(summary["scores"][metric]),
        "baselines": {n: round(v[metric], 4) for n, v in summary["baselines"].items() if v.get(metric) is not None},
        "network_minus": {n: rounded(d[metric]) for n, d in summary["differences"].items() if metric in d},
        "training_seconds": round(summary["training"]["seconds"], 1),
        "stopped": summary["training"]["stopped"],
    }


def rounded(score: dict[str, Any]) -> list[float]:
    return [round(score[k], 4 if abs(score["value"]) < 10 else 0) for k in ("value", "low", "high")]


def telco(splits: int) -> dict[str, Any]:
    """ROC AUC on stratified splits named by their seeds (train_test_split), beside logistic regression on splines."""
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import train_test_split

    frame = pl.read_csv(DATA / "telco_churn" / "Telco-Customer-Churn.csv")
    rows, ours, theirs, seconds = np.arange(frame.height), [], [], []
    for seed in range(splits):
        train, test = train_test_split(rows, test_size=0.2, stratify=frame["Churn"], random_state=seed)
        run, took = fitted(frame[train], "Churn", frame[test], seed=seed)
        seconds.append(took)
        ours.append(run.summary["scores"]["roc_auc"]["value"])
        plain = splined(frame[train], frame[test])
        theirs.append(float(roc_auc_score((frame[test]["Churn"] == "Yes").to_numpy(), plain)))
    gap = np.array(ours) - np.array(theirs)
    return {
        "roc_auc": round(statistics.mean(ours), 4),
        "logistic_on_splines": round(statistics.mean(theirs), 4),
        "difference": [round(v, 4) for v in interval(gap, 1 / splits)],
        # the splits share rows: Nadeau & Bengio (2003) widen the interval for that
        "difference_corrected": [round(v, 4) for v in interval(gap, 1 / splits + 0.2 / 0.8)],
        "per_split": [round(v, 4) for v in gap],
        "seconds": {"median": round(statistics.median(seconds), 1), "largest": round(max(seconds), 1)},
        "splits": splits,
    }


def interval(gap: np.ndarray, share: float) -> tuple[float, float, float]:
    """Mean and 95 % t-interval; ``share`` of the variance is that of the mean (1/n for independent splits)."""
    from scipy import stats

    reach = stats.t.ppf(0.975, len(gap) - 1) * np.sqrt(share * gap.var(ddof=1)) if len(gap) > 1 else np.nan
    return float(gap.mean()), float(gap.mean() - reach), float(gap.mean() + reach)


def splined(train: pl.DataFrame, test: pl.DataFrame) -> np.ndarray:
    """Chances of churn (n,) of a logistic regression on cubic splines of the numbers and one-hot categories."""
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, SplineTransformer, StandardScaler

    numbers = ["tenure", "MonthlyCharges", "TotalCharges"]
    known, asked = (
        f.drop("customerID").with_columns(pl.col("TotalCharges").cast(pl.Float64, strict=False).fill_null(0.0))
        for f in (train, test)
    )
    categories = [c for c in known.columns if c not in (*numbers, "Churn")]
    curves = make_pipeline(StandardScaler(), SplineTransformer(n_knots=8))
    model = make_pipeline(
        make_column_transformer((curves, numbers), (OneHotEncoder(handle_unknown="ignore"), categories)),
        LogisticRegression(max_iter=5000),
    )
    model.fit(known.drop("Churn").to_pandas(), (known["Churn"] == "Yes").to_numpy())
    return model.predict_proba(asked.drop("Churn").to_pandas())[:, 1]


def adult() -> dict[str, Any]:
    """The official split; beside the baselines also CatBoost with its defaults, where it is installed."""
    folder = DATA / "adult"
    names = [f"column_{i}" for i in range(1, 16)]
    train, test = (
        pl.read_csv(folder / f"adult-{part}.csv", has_header=False, new_columns=names).drop_nulls(names[-1])
        for part in ("train", "test")
    )
    run, took = fitted(train, names[-1], test)
    found = {"accuracy": rounded(run.summary["scores"]["accuracy"]), **score(run, "roc_auc"), "seconds": round(took, 1)}
    if importlib.util.find_spec("catboost") is not None:
        found["catboost"] = catboost(run, train, test)
    return found


def catboost(run: Any, train: pl.DataFrame, test: pl.DataFrame) -> dict[str, Any]:
    """CatBoost on the same rows, and the network minus CatBoost on the same resamples."""
    from catboost import CatBoostClassifier

    label = train.columns[-1]
    tables = [f.drop(label).with_columns(pl.col(pl.String).fill_null("")).to_pandas() for f in (train, test)]
    texts = [c for c, kind in zip(train.columns, train.dtypes, strict=True) if kind == pl.String and c != label]
    known, asked = ((f[label].str.strip_chars(" .") == ">50K").cast(pl.Int64).to_numpy() for f in (train, test))
    began = time.monotonic()
    model = CatBoostClassifier(verbose=0, thread_count=1, random_seed=0, cat_features=texts, allow_writing_files=False)
    model.fit(tables[0], known)
    took = time.monotonic() - began
    chances = np.asarray(model.predict_proba(tables[1]), dtype=np.float64)
    ours = Predictions.read(run.folder.predictions)
    assert np.array_equal(np.asarray(ours.target), asked), "the rows are in the file's order"
    theirs = Predictions(
        row=ours.row,
        target=ours.target,
        prediction=chances.argmax(1).astype(np.int64),
        probabilities=chances,
        classes=ours.classes,
    )
    gaps = differences(ours, theirs)
    accuracy = float((theirs.prediction == ours.target).mean())
    both = {m: [round(v, 4) for v in (gaps[m].value, gaps[m].low, gaps[m].high)] for m in ("accuracy", "roc_auc")}
    return {"accuracy": round(accuracy, 4), "network_minus": both, "seconds": round(took, 1)}


def california() -> dict[str, Any]:
    """A fifth of the rows is tested, after the file is shuffled: it is sorted by place."""
    frame = pl.read_csv(DATA / "california_housing" / "housing.csv")
    return housing(frame[np.random.default_rng(0).permutation(frame.height)])


def california_file_order() -> dict[str, Any]:
    """As ``california`` without the shuffling: by chance every missing cell lies in the test part of this split."""
    return housing(pl.read_csv(DATA / "california_housing" / "housing.csv"))


def housing(frame: pl.DataFrame) -> dict[str, Any]:
    from sklearn.model_selection import train_test_split

    train, test = train_test_split(np.arange(frame.height), test_size=0.2, random_state=42)
    run, took = fitted(frame[train], "median_house_value", frame[test])
    missing = frame[test]["total_bedrooms"].null_count()
    return {**score(run, "rmse"), "missing_in_test": missing, "seconds": round(took, 1)}


def weather() -> dict[str, Any]:
    """142,193 rows, the latest fifth tested; the column that tells tomorrow's rain is left out."""
    with tempfile.TemporaryDirectory() as place:
        zipfile.ZipFile(DATA / "weather_aus" / "weatherAUS.csv.zip").extract("weatherAUS.csv", place)
        began = time.monotonic()
        out = Path(tempfile.mkdtemp(prefix="aurify-tables-")) / "run"
        words = {"drop": ["RISK_MM"], "split": "time:Date", "out": out}
        run = aurify.fit(f"{place}/weatherAUS.csv", "RainTomorrow", **words)
        took = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**score(run, "roc_auc"), "seconds": round(took, 1), "peak_megabytes": round(peak)}


def latency() -> dict[str, Any]:
    """Milliseconds of ``predict`` on a data frame, through the loaded model: one row and 10,000, for both networks."""
    frame = pl.read_csv(DATA / "telco_churn" / "Telco-Customer-Churn.csv")
    many = pl.concat([frame, frame]).head(10_000)
    found = {}
    for network in ("tabm", "mlp"):
        run, _ = fitted(frame, "Churn", settings={"network": network, "budget.epochs": 1})
        model: Any = aurify.load(run.path / "model.aurify")
        found[network] = {
            f"{rows.height:,} rows": round(milliseconds(model.predict, rows), 2) for rows in (frame.head(1), many)
        }
    return found


def milliseconds(predict: Callable[[pl.DataFrame], object], rows: pl.DataFrame) -> float:
    """Median over repeats, after three to warm up."""
    took = []
    for _ in range(LATENCY_REPEATS if rows.height == 1 else 7):
        began = time.perf_counter()
        predict(rows)
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took[3:])


def main() -> None:
    tables = {f.__name__: f for f in (adult, california, california_file_order, weather, latency)}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=["telco", *tables])
    parser.add_argument("--splits", type=int, default=SPLITS, help="of telco")
    asked = parser.parse_args()
    if not DATA.is_dir():
        result: dict[str, Any] = {"skipped": f"no data at {DATA}"}
    else:
        result = telco(asked.splits) if asked.table == "telco" else tables[asked.table]()
    json.dump({"benchmark": f"tables {asked.table}", **result}, sys.stdout)
    print()


if __name__ == "__main__":
    main()
