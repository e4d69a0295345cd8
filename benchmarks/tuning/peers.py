"""The searches of the field over scikit-learn's network, one a process: seconds, and ROC AUC on tested rows.

    python -m benchmarks.tuning.peers TABLE PEER SEED WORKERS

Its seconds are those of ``fit`` alone, from data in memory to the winner refitted on all learnt rows: less than a whole
process takes, which is to the peer's advantage.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from benchmarks.tuning.perceptron import Perceptron
from benchmarks.tuning.tables import RACE, Table

FOLDS = 3
RANDOM_TRIALS = 16
BAYES_TRIALS = 32

# 2 x 2 x 3 x 2 x 2 = 48 candidates
GRID: Mapping[str, list[Any]] = {
    "width": [64, 128],
    "depth": [1, 2],
    "alpha": [1e-4, 1e-3, 1e-2],
    "learning_rate": [1e-3, 1e-2],
    "activation": ["relu", "tanh"],
}


def logistic(seed: int, workers: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=5000)


def default(seed: int, workers: int) -> Any:
    return Perceptron(seed=seed)


def grid(seed: int, workers: int) -> Any:
    from sklearn.model_selection import GridSearchCV

    return GridSearchCV(_network(seed), _of_model(GRID), **_search(seed, workers))


def random(seed: int, workers: int) -> Any:
    """Samples a wider space than the grid's: it costs nothing there."""
    from scipy.stats import loguniform, randint
    from sklearn.model_selection import RandomizedSearchCV

    space = {
        "width": randint(16, 257),
        "depth": [1, 2, 3],
        "alpha": loguniform(1e-5, 1e-1),
        "learning_rate": loguniform(3e-4, 3e-2),
        "batch_size": [64, 128, 256],
        "activation": ["relu", "tanh"],
    }
    how = {**_search(seed, workers), "random_state": seed}
    return RandomizedSearchCV(_network(seed), _of_model(space), n_iter=RANDOM_TRIALS, **how)


def bayes(seed: int, workers: int) -> Any:
    """scikit-optimize's, with its defaults: a Gaussian process, one candidate at a time, its folds side by side."""
    from skopt import BayesSearchCV  # pyright: ignore[reportMissingImports]
    from skopt.space import Categorical, Integer, Real  # pyright: ignore[reportMissingImports]

    space = {
        "width": Integer(16, 256, prior="log-uniform"),
        "depth": Integer(1, 3),
        "alpha": Real(1e-5, 1e-1, prior="log-uniform"),
        "learning_rate": Real(3e-4, 3e-2, prior="log-uniform"),
        "batch_size": Categorical([64, 128, 256]),
        "activation": Categorical(["relu", "tanh"]),
    }
    how = {**_search(seed, workers), "random_state": seed}
    return BayesSearchCV(_network(seed), _of_model(space), n_iter=BAYES_TRIALS, **how)


PEERS: Mapping[str, Callable[[int, int], Any]] = {f.__name__: f for f in (logistic, default, grid, random, bayes)}
SEARCHES = ("grid", "random", "bayes")


def _search(seed: int, workers: int) -> dict[str, Any]:
    from sklearn.model_selection import StratifiedKFold

    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    return {"cv": folds, "scoring": "roc_auc", "n_jobs": workers}


def _of_model(space: Mapping[str, Any]) -> dict[str, Any]:
    return {f"model__{name}": values for name, values in space.items()}


def _network(seed: int) -> Any:
    return _pipeline(Perceptron(seed=seed))


def _pipeline(model: Any) -> Any:
    """Imputing, scaling, one-hot; what is rarer than one in a thousand (a row's own id) is one category."""
    from sklearn.compose import make_column_selector, make_column_transformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    categories = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=0.001, sparse_output=False)
    columns = make_column_transformer(
        (
            make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
            make_column_selector(dtype_include="number"),
        ),
        (
            make_pipeline(SimpleImputer(strategy="most_frequent"), categories),
            make_column_selector(dtype_exclude="number"),
        ),
    )
    return Pipeline([("columns", columns), ("model", model)])


def _frame(table: Table, frame: pl.DataFrame) -> Any:
    """As a user would hand it over: without the column of ids."""
    return frame.drop(table.target, "customerID", strict=False).to_pandas()


def run(table: Table, peer: str, seed: int, workers: int) -> dict[str, Any]:
    from sklearn.metrics import roc_auc_score

    learnt, tested = table.parts(seed)
    model = PEERS[peer](seed, workers)
    model = model if peer in SEARCHES else _pipeline(model)
    rows, truth = _frame(table, learnt), table.truth(learnt)
    began = time.monotonic()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(rows, truth)
    seconds = time.monotonic() - began
    chances = model.predict_proba(_frame(table, tested))[:, 1]
    found = {"seconds": round(seconds, 3), "roc_auc": round(float(roc_auc_score(table.truth(tested), chances)), 6)}
    if peer in SEARCHES:
        found |= {"picked": round(float(model.best_score_), 6), "candidates": len(model.cv_results_["params"])}
    return found


if __name__ == "__main__":
    named, peer, seed, workers = sys.argv[1:]
    asked = next(table for table in RACE if table.name == named)
    print(json.dumps(run(asked, peer, int(seed), int(workers))))
