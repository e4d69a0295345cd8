"""Clean tables to plant defects into: real ones from the shared data, scikit-learn's own, and drawn ones."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

DATA = Path(os.environ.get("AURIFY_SHARED", Path(__file__).parents[3] / "shared")) / "data"


@dataclass(frozen=True)
class Fact:
    """What a check may rightly warn of in an untouched base, and why it is true; of any column where none is named."""

    check: str
    why: str
    columns: Sequence[str] = ()


@dataclass(frozen=True)
class Base:
    """A clean table: ``rows`` draws its rows (at most so many). ``needs`` is a file of the shared data, if any.

    ``clear`` ones have a target that is predicted well, ``weak`` ones a target that no column tells by itself or
    together with the others, ``smooth`` ones columns of continuous numbers.
    """

    name: str
    rows: Callable[[np.random.Generator, int], pl.DataFrame]
    target: str
    kind: str
    needs: str | None = None
    clear: bool = False
    weak: bool = False
    smooth: bool = False
    facts: Sequence[Fact] = ()

    @property
    def lacking(self) -> str | None:
        """Why it cannot be used here, None if it can."""
        return None if self.needs is None or (DATA / self.needs).exists() else f"no data at {DATA / self.needs}"


def _some(frame: pl.DataFrame, random: np.random.Generator, most: int) -> pl.DataFrame:
    """At most so many rows at random, never more than nine tenths: two draws are never the same table."""
    return frame[random.permutation(frame.height)[: min(most, round(0.9 * frame.height))]]


@cache
def _telco() -> pl.DataFrame:
    path = DATA / "telco_churn" / "Telco-Customer-Churn.csv"
    frame = pl.read_csv(path, schema_overrides={"TotalCharges": pl.String}).drop("customerID")
    return frame.with_columns(pl.col("TotalCharges").str.strip_chars().cast(pl.Float64, strict=False))


@cache
def _adult() -> pl.DataFrame:
    names = ["age", "workclass", "fnlwgt", "education", "education_num", "marital_status", "occupation"]
    names += ["relationship", "race", "sex", "capital_gain", "capital_loss", "hours", "country", "income"]
    frame = pl.read_csv(DATA / "adult" / "adult-train.csv", has_header=False, new_columns=names)
    texts = [n for n in names if frame[n].dtype == pl.String]
    frame = frame.with_columns(pl.col(texts).str.strip_chars()).with_columns(pl.col(texts).replace("?", None))
    numbers = [n for n in names if n not in ("workclass", "education", "marital_status", "occupation", "relationship")]
    numbers = [n for n in numbers if n not in ("race", "sex", "country", "income")]
    frame = frame.with_columns(pl.col(n).cast(pl.Int64, strict=False) for n in numbers)
    frame = frame.with_columns(pl.col("capital_gain").replace(99999, None))  # a code for more than could be said
    return frame.drop_nulls("income").unique(maintain_order=True)


@cache
def _california() -> pl.DataFrame:
    frame = pl.read_csv(DATA / "california_housing" / "housing.csv")
    return frame.filter(pl.col("median_house_value") < 500_000)  # without the capped targets


@cache
def _weather() -> pl.DataFrame:
    raw = zipfile.ZipFile(DATA / "weather_aus" / "weatherAUS.csv.zip").read("weatherAUS.csv")
    frame = pl.read_csv(io.BytesIO(raw), null_values="NA", infer_schema_length=None)
    return frame.drop("RISK_MM", "Date").unique(maintain_order=True)


@cache
def _sgemm() -> pl.DataFrame:
    archive = zipfile.ZipFile(DATA / "sgemm_gpu" / "sgemm_product_dataset.zip")
    frame = pl.read_csv(io.BytesIO(archive.read("sgemm_product_dataset/sgemm_product.csv")))
    return frame.drop("Run2 (ms)", "Run3 (ms)", "Run4 (ms)")


@cache
def _bundled(name: str) -> pl.DataFrame:
    """A table of scikit-learn's; classes by their names, columns that never vary left out, no row twice."""
    from sklearn import datasets

    loaded: Any = getattr(datasets, f"load_{name}")()
    names = [str(n) for n in getattr(loaded, "feature_names", [f"x{i}" for i in range(loaded.data.shape[1])])]
    frame = pl.DataFrame(loaded.data, schema=names)
    frame = frame.select(c for c in frame.columns if frame[c].n_unique() > 1)
    labels = getattr(loaded, "target_names", None)
    target = loaded.target if labels is None else np.array([f"class {labels[t]}" for t in loaded.target])
    return frame.with_columns(pl.Series("target", target)).unique(maintain_order=True)


def _classes(size: int, classes: int, shares: list[float] | None, apart: float) -> Any:
    def rows(random: np.random.Generator, most: int) -> pl.DataFrame:
        from sklearn.datasets import make_classification

        x, y = make_classification(
            min(size, most),
            n_features=12,
            n_informative=6,
            n_redundant=2,
            n_classes=classes,
            weights=shares,
            class_sep=apart,
            flip_y=0.02,
            random_state=int(random.integers(2**31)),
        )
        labels = pl.Series("label", [("good", "bad", "middling", "odd")[k] for k in y])
        return pl.DataFrame(x, schema=[f"f{i}" for i in range(12)]).with_columns(labels)

    return rows


def _numbers(size: int, maker: str, **settings: Any) -> Any:
    def rows(random: np.random.Generator, most: int) -> pl.DataFrame:
        from sklearn import datasets

        x, y = getattr(datasets, maker)(min(size, most), random_state=int(random.integers(2**31)), **settings)
        return pl.DataFrame(x, schema=[f"f{i}" for i in range(x.shape[1])]).with_columns(pl.Series("y", y))

    return rows


def _mixed(random: np.random.Generator, most: int) -> pl.DataFrame:
    """Customers: numbers, categories of 3 to 60 values, a date that tells nothing, and gaps at random."""
    count = min(2_500, most)
    region = random.choice(["north", "south", "east", "west"], count, p=[0.4, 0.3, 0.2, 0.1])
    plan = random.choice(["basic", "standard", "premium"], count, p=[0.5, 0.3, 0.2])
    town = [f"town {k}" for k in random.geometric(0.06, count) % 60]
    age = np.clip(random.normal(45, 15, count), 18, 95).round()
    income = np.exp(random.normal(10.3, 0.5, count)).round(2)
    visits = random.poisson(4, count)
    since = np.datetime64("2015-01-01", "D") + random.integers(0, 2500, count)
    logit = 0.05 * (age - 45) + 0.8 * (plan == "premium") - 0.6 * (region == "west") + 0.25 * (visits - 4)
    bought = np.where(random.random(count) < 1 / (1 + np.exp(-1.5 * logit)), "yes", "no")
    columns = {"region": region, "plan": plan, "town": town, "age": age, "income": income, "visits": visits}
    frame = pl.DataFrame({**columns, "since": since, "bought": bought})
    gap = pl.Series(random.random(count) < 0.06)
    return frame.with_columns(pl.when(~gap).then(pl.col("income")).alias("income"))


def _real(table: Callable[[], pl.DataFrame]) -> Callable[[np.random.Generator, int], pl.DataFrame]:
    return lambda random, most: _some(table(), random, most)


def _own(name: str) -> Callable[[np.random.Generator, int], pl.DataFrame]:
    return lambda random, most: _some(_bundled(name), random, most)


LINE = {"n_features": 10, "n_informative": 6, "noise": 60.0}
BASES = (
    Base("telco", _real(_telco), "Churn", "classify", "telco_churn", weak=True),
    Base("adult", _real(_adult), "income", "classify", "adult", weak=True),
    Base("california", _real(_california), "median_house_value", "regress", "california_housing", weak=True),
    Base(
        "weather",
        _real(_weather),
        "RainTomorrow",
        "classify",
        "weather_aus",
        weak=True,
        facts=(Fact("outliers", "a pan hardly loses 40 mm a day: slips of the gauge", ("Evaporation",)),),
    ),
    Base("sgemm", _real(_sgemm), "Run1 (ms)", "regress", "sgemm_gpu", clear=True),
    Base("iris", _own("iris"), "target", "classify", clear=True, smooth=True),
    Base("wine", _own("wine"), "target", "classify", clear=True, smooth=True),
    Base("breast_cancer", _own("breast_cancer"), "target", "classify", clear=True, smooth=True),
    Base("diabetes", _own("diabetes"), "target", "regress", weak=True),
    Base("digits", _own("digits"), "target", "classify", clear=True),
    Base(
        "two_classes",
        _classes(2_000, 2, None, 1.5),
        "label",
        "classify",
        clear=True,
        smooth=True,
        facts=(Fact("label_errors", "2 % of the labels are drawn at random", ("label",)),),
    ),
    Base("skewed_classes", _classes(2_500, 2, [0.85, 0.15], 0.8), "label", "classify", weak=True, smooth=True),
    Base("four_classes", _classes(2_000, 4, None, 1.5), "label", "classify", clear=True, smooth=True),
    Base(
        "line",
        _numbers(1_000, "make_regression", n_features=10, n_informative=6, noise=60.0),
        "y",
        "regress",
        clear=True,
        smooth=True,
    ),
    Base(
        "friedman",
        _numbers(1_500, "make_friedman1", n_features=10, noise=1.0),
        "y",
        "regress",
        clear=True,
        weak=True,
        smooth=True,
    ),
    Base("mixed", _mixed, "bought", "classify", weak=True),
)
