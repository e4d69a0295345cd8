"""The tables of the races, and which of their rows are tested."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from aurify.measure.predictions import Predictions
from benchmarks.planting.bases import DATA

SOME = 10_000
"""Rows of adult in the race."""

SAMPLE = 20_000
"""Rows of the tables that are too large for minutes."""

TESTED = 0.2


@dataclass(frozen=True)
class Table:
    """``parts(seed)`` are the rows to learn from and the tested ones; ``positive`` is the class asked for, if any."""

    name: str
    target: str
    positive: str | None
    parts: Callable[[int], tuple[pl.DataFrame, pl.DataFrame]]
    needs: str | None = None

    @property
    def metric(self) -> str:
        return "rmse" if self.positive is None else "roc_auc"

    @property
    def lacking(self) -> str | None:
        """Why it cannot be used here, None if it can."""
        return None if self.needs is None or (DATA / self.needs).exists() else f"no data at {DATA / self.needs}"

    def truth(self, frame: pl.DataFrame) -> np.ndarray:
        """Targets (n,) float64; of classes 1 where it is the positive one."""
        if self.positive is None:
            return frame[self.target].cast(pl.Float64).to_numpy()
        return (frame[self.target] == self.positive).cast(pl.Float64).to_numpy()

    def answered(self, tested: pl.DataFrame, answers: np.ndarray) -> Predictions:
        """What was answered for the tested rows: numbers (n,), or the chances of the positive class."""
        truth, row, answers = self.truth(tested), np.arange(tested.height), answers.astype(np.float64)
        if self.positive is None:
            return Predictions(row=row, target=truth, prediction=answers, probabilities=None, classes=None)
        return Predictions(
            row=row,
            target=truth.astype(np.int64),
            prediction=(answers >= 0.5).astype(np.int64),
            probabilities=np.stack([1 - answers, answers], axis=1),
            classes=(f"not {self.positive}", self.positive),
        )


def _parted(frame: pl.DataFrame, seed: int, target: str | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A fifth is tested; with a ``target`` as large a share of each of its classes."""
    from sklearn.model_selection import train_test_split

    stratify = None if target is None else frame[target].to_numpy()
    learnt, tested = train_test_split(np.arange(frame.height), test_size=TESTED, stratify=stratify, random_state=seed)
    return frame[learnt], frame[tested]


def _drawn(frame: pl.DataFrame, rows: int, seed: int) -> pl.DataFrame:
    return frame[np.sort(np.random.default_rng(seed).permutation(frame.height)[:rows])]


def _telco(seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    return _parted(pl.read_csv(DATA / "telco_churn" / "Telco-Customer-Churn.csv"), seed, "Churn")


def _census(part: str) -> pl.DataFrame:
    """Labels of the test file end in a full stop."""
    names = [f"column_{at}" for at in range(1, 16)]
    frame = pl.read_csv(DATA / "adult" / f"adult-{part}.csv", has_header=False, new_columns=names)
    frame = frame.drop_nulls(names[-1])
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    stripped = frame.with_columns(pl.col(texts).str.strip_chars())
    return stripped.with_columns(pl.col(names[-1]).str.strip_chars("."))


def _some_adult(seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    return _parted(_drawn(_census("train"), SOME, seed), seed, "column_15")


def _adult(seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The official split, whatever the seed."""
    return _census("train"), _census("test")


def _california(seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    return _parted(pl.read_csv(DATA / "california_housing" / "housing.csv"), seed, None)


def _weather(seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The latest fifth of a sample is tested; the column that tells tomorrow's rain is left out."""
    raw = zipfile.ZipFile(DATA / "weather_aus" / "weatherAUS.csv.zip").read("weatherAUS.csv")
    frame = pl.read_csv(io.BytesIO(raw), null_values="NA", infer_schema_length=None).drop("RISK_MM")
    frame = _drawn(frame, SAMPLE, seed).sort("Date", maintain_order=True)
    edge = round((1 - TESTED) * frame.height)
    return frame[:edge], frame[edge:]


def _kernels(seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Milliseconds of one run; those of the other three would tell."""
    archive = zipfile.ZipFile(DATA / "sgemm_gpu" / "sgemm_product_dataset.zip")
    frame = pl.read_csv(io.BytesIO(archive.read("sgemm_product_dataset/sgemm_product.csv")))
    return _parted(_drawn(frame.drop("Run2 (ms)", "Run3 (ms)", "Run4 (ms)"), SAMPLE, seed), seed, None)


def _diabetes(seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    from sklearn.datasets import load_diabetes

    # sklearn's stubs do not say that a Bunch has fields
    loaded = dict(load_diabetes())
    frame = pl.DataFrame(loaded["data"], schema=[str(name) for name in loaded["feature_names"]])
    return _parted(frame.with_columns(pl.Series("target", loaded["target"])), seed, None)


RACE = (
    Table("telco", "Churn", "Yes", _telco, "telco_churn"),
    Table("adult", "column_15", ">50K", _some_adult, "adult"),
)

BUDGET = (
    Table("telco", "Churn", "Yes", _telco, "telco_churn"),
    Table("adult", "column_15", ">50K", _adult, "adult"),
    Table("california", "median_house_value", None, _california, "california_housing"),
    Table("weather", "RainTomorrow", "Yes", _weather, "weather_aus"),
    Table("sgemm", "Run1 (ms)", None, _kernels, "sgemm_gpu"),
    Table("diabetes", "target", None, _diabetes),
)
