"""Public tables, and drawn ones, on which the portfolio is found; the target is column ``y``."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl

DATA = Path(os.environ.get("AURIFY_SHARED", Path(__file__).parents[3] / "shared")) / "data"
ROWS = 3000
WORDS = np.array(["red", "green", "blue", "grey", "black", "white", "pink", "brown"])


@dataclass(frozen=True)
class Table:
    """A frame and what its ``y`` is: ``classify`` or ``regress``."""

    name: str
    kind: str
    frame: pl.DataFrame


def tables() -> tuple[list[Table], list[str]]:
    """Every table there is, the small ones first, and the names of those whose file is absent."""
    found, absent = [], []
    for make, kind in KINDS.items():
        try:
            found.append(Table(make.__name__, kind, make()))
        except FileNotFoundError:
            absent.append(make.__name__)
    return found, absent


def wine() -> pl.DataFrame:
    return _bundled("load_wine")


def breast_cancer() -> pl.DataFrame:
    return _bundled("load_breast_cancer")


def digits() -> pl.DataFrame:
    """Each of the 64 pixels a column; ten classes."""
    return _bundled("load_digits")


def diabetes() -> pl.DataFrame:
    return _bundled("load_diabetes")


def rain() -> pl.DataFrame:
    """Whether it rains tomorrow; the column that tells how much is left out."""
    return _weather().drop("RISK_MM").rename({"RainTomorrow": "y"})


def humidity() -> pl.DataFrame:
    """How humid the afternoon is, from all else of the day."""
    return _weather().drop("RISK_MM", "RainTomorrow").rename({"Humidity3pm": "y"}).drop_nulls("y")


def run_time() -> pl.DataFrame:
    """Logarithm of the mean milliseconds of a matrix product on a GPU, from the settings of its program."""
    frame = _sgemm()
    return frame.with_columns(pl.col("y").log())


def run_time_quarter() -> pl.DataFrame:
    """In which quarter of all run times a program is."""
    return _sgemm().with_columns(pl.col("y").qcut(4, labels=["fast", "good", "slow", "slowest"]).cast(pl.String))


def churn_like() -> pl.DataFrame:
    """Two classes, nearly linear: many categories of few values, numbers of which one is bent."""
    random = np.random.default_rng(1)
    months, fee = random.integers(0, 72, ROWS), random.normal(65, 30, ROWS).clip(18)
    codes = random.integers(0, [2, 2, 2, 3, 3, 3, 3, 4, 4, 3, 2, 3], (ROWS, 12))
    effects = random.normal(0, 0.45, (12, 4))
    score = -1.6 - 1.3 * np.log1p(months / 6) + 0.022 * (fee - 18) + effects[np.arange(12), codes].sum(1)
    score = score + 0.8 * ((codes[:, 3] == 0) & (fee > 80)) + 1.2
    y = np.where(random.random(ROWS) < 1 / (1 + np.exp(-score)), "yes", "no")
    columns = {f"c{at}": WORDS[codes[:, at]] for at in range(12)}
    return pl.DataFrame({"months": months, "fee": fee.round(2), "total": (months * fee).round(1), **columns, "y": y})


def crossed() -> pl.DataFrame:
    """Two classes told by numbers and categories together (``make_classification``), with gaps and wrong labels."""
    from sklearn.datasets import make_classification

    random = np.random.default_rng(2)
    X, y = make_classification(
        ROWS, 14, n_informative=9, n_redundant=2, n_clusters_per_class=4, class_sep=0.9, flip_y=0.08, random_state=2
    )
    return _mixed(X, random, 4).with_columns(y=pl.Series(np.where(y == 1, "yes", "no")))


def friedman() -> pl.DataFrame:
    """Friedman's first function (1991) of ten columns, five of them noise."""
    from sklearn.datasets import make_friedman1

    X, y = make_friedman1(ROWS, 10, noise=1.0, random_state=3)
    return pl.DataFrame({f"x{at}": X[:, at] for at in range(10)} | {"y": y})


def priced() -> pl.DataFrame:
    """A skewed price: a product of a place, of kinds and of bent numbers, with gaps."""
    random = np.random.default_rng(4)
    place, size, age = random.normal(size=(ROWS, 2)), random.lognormal(4, 0.5, ROWS), random.integers(0, 90, ROWS)
    kind, area = random.integers(0, 5, ROWS), random.integers(0, 8, ROWS)
    near = np.exp(-((place - [0.7, -0.4]) ** 2).sum(1)) + 0.6 * np.exp(-2 * ((place - [-1, -0.5]) ** 2).sum(1))
    log_price = 0.8 * np.log(size) + near + np.array([0, 0.2, -0.3, 0.5, 0.1])[kind] - 0.3 * np.sin(age / 14)
    log_price = log_price + random.normal(0, 0.3, 8)[area] * (kind != 2) + random.normal(0, 0.2, ROWS)
    columns = {
        "x": place[:, 0],
        "z": place[:, 1],
        "size": size.round(),
        "age": age,
        "kind": WORDS[kind],
        "area": WORDS[area],
    }
    frame = pl.DataFrame({**columns, "y": 1000 * np.exp(log_price)})
    return frame.with_columns(pl.when(pl.Series(random.random(ROWS) > 0.08)).then(pl.col("size")).alias("size"))


KINDS: dict[Callable[[], pl.DataFrame], str] = {
    **dict.fromkeys((wine, breast_cancer, digits, rain, run_time_quarter, churn_like, crossed), "classify"),
    **dict.fromkeys((diabetes, humidity, run_time, friedman, priced), "regress"),
}


def _bundled(name: str) -> pl.DataFrame:
    from sklearn import datasets

    data = getattr(datasets, name)()
    names = [str(each) for each in data.feature_names]
    y = data.target if name == "load_diabetes" else np.array([f"class {c}" for c in data.target])
    return pl.DataFrame({n: data.data[:, at] for at, n in enumerate(names)} | {"y": y})


def _mixed(X: np.ndarray, random: np.random.Generator, categories: int) -> pl.DataFrame:
    """Columns of which the first few are cut into words, and every fourth lacks a tenth of its values."""
    columns: dict[str, pl.Series] = {}
    for at in range(X.shape[1]):
        column = X[:, at]
        if at < categories:
            cut = np.searchsorted(np.quantile(column, [0.15, 0.3, 0.5, 0.65, 0.9]), column)
            columns[f"x{at}"] = pl.Series(WORDS[random.permutation(6)[cut]])
        else:
            gone = random.random(len(column)) < (0.1 if at % 4 == 0 else 0)
            columns[f"x{at}"] = pl.Series(np.where(gone, np.nan, column)).fill_nan(None)
    return pl.DataFrame(columns)


@cache
def _weather() -> pl.DataFrame:
    with zipfile.ZipFile(DATA / "weather_aus" / "weatherAUS.csv.zip") as held:
        frame = pl.read_csv(held.read("weatherAUS.csv"), null_values="NA", infer_schema_length=None)
    return _sample(frame.drop_nulls("RainTomorrow"))


@cache
def _sgemm() -> pl.DataFrame:
    """The settings, and the mean of the four run times."""
    with zipfile.ZipFile(DATA / "sgemm_gpu" / "sgemm_product_dataset.zip") as held:
        frame = pl.read_csv(held.read("sgemm_product_dataset/sgemm_product.csv"))
    times = [name for name in frame.columns if name.startswith("Run")]
    return frame.with_columns(pl.mean_horizontal(times).alias("y")).drop(times).pipe(_sample)


def _sample(frame: pl.DataFrame) -> pl.DataFrame:
    return frame[np.random.default_rng(5).permutation(frame.height)[:ROWS]]
