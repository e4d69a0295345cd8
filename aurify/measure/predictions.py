"""The one table that every metric, interval and paired test is computed from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from aurify.core.errors import AurifyError
from aurify.core.files import write_with

if TYPE_CHECKING:
    import polars

CLASSES_KEY = "aurify.classes"
"""Where the class order is kept in the metadata of a parquet file, as a JSON list (``null`` for regression)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Predictions:
    """One row per example: everything measured is computed from these.

    Shapes: n rows, K classes. ``row`` (n,) int64 are row ids of the Store. For classes, ``target`` and
    ``prediction`` are (n,) int64 codes into ``classes`` and ``probabilities`` is (n, K) float64; for regression
    ``target`` and ``prediction`` are (n,) float64 in the unit of the target, ``probabilities`` and ``classes`` are
    None; numbers that are one action together are (n, A). Of several labels a row, ``classes``, both are (n, K)
    int8, 1 where the label is held, and ``probabilities`` one of each label. ``target`` is None where it is unknown
    (predicting new data), ``weight`` (n,) float64 how many rows each row stands for, None for one each.
    ``prediction`` need not be the most probable class: a tuned threshold may have chosen another. ``fold`` (n,)
    int64 says which fold's model answered, from 1; None where there are no folds.
    """

    row: np.ndarray
    target: np.ndarray | None
    prediction: np.ndarray
    probabilities: np.ndarray | None
    classes: tuple[str, ...] | None
    fold: np.ndarray | None = None
    seed: int = 0
    weight: np.ndarray | None = None

    def __post_init__(self) -> None:
        shape = self.row.shape
        assert (self.row.ndim, self.row.dtype) == (1, np.int64), f"row is {self.row.dtype}{shape}"
        assert self.fold is None or (self.fold.shape == shape and self.fold.dtype == np.int64), "one fold per row"
        answers = [self.prediction] if self.target is None else [self.prediction, self.target]
        whole = (*shape, len(self.classes or ())) if self.several else (*shape, *self.prediction.shape[1:])
        assert all(answer.shape == whole for answer in answers), "target and prediction need one value per row"
        if self.weight is not None:
            assert (self.weight.shape, self.weight.dtype) == (shape, np.float64), "weight needs one number per row"
            assert (self.weight >= 0).all(), "a negative weight"
        if self.classes is None:
            assert self.probabilities is None, "probabilities without classes"
            assert all(answer.dtype == np.float64 and np.isfinite(answer).all() for answer in answers)
            return
        count = len(self.classes)
        assert count == len(set(self.classes)) > 0, "classes must be distinct"
        for answer in answers:
            assert answer.dtype == (np.int8 if self.several else np.int64), f"class codes are {answer.dtype}"
            most = 2 if self.several else count
            assert not len(self) or (answer.min() >= 0 and answer.max() < most), "a class code outside classes"
        if self.probabilities is not None:
            assert self.probabilities.shape == (*shape, count), f"probabilities are {self.probabilities.shape}"
            assert self.probabilities.dtype == np.float64
            # also refuses NaN: no comparison with it holds
            assert ((self.probabilities >= 0) & (self.probabilities <= 1)).all(), "probabilities outside 0 to 1"
            # float32 softmax is off by 1e-7; anything larger is a forgotten normalisation
            summing = self.several or (np.abs(self.probabilities.sum(axis=1) - 1) < 1e-3).all()
            assert summing, "probabilities do not sum to 1"

    def __len__(self) -> int:
        return len(self.row)

    @property
    def several(self) -> bool:
        """Whether a row may hold several of the classes."""
        return self.prediction.ndim == 2 and self.classes is not None

    @classmethod
    def of_answer(
        cls,
        answer: np.ndarray,
        *,
        row: np.ndarray,
        target: np.ndarray | None,
        classes: tuple[str, ...] | None,
        several: bool,
        thresholds: np.ndarray | float = 0.5,
        seed: int = 0,
        weight: np.ndarray | None = None,
    ) -> Predictions:
        """What a model answers: numbers (n,), or probabilities (n, K) and what is decided by them.

        The most probable class or, of ``several`` labels, each that reaches its threshold (K,).
        """
        return cls(
            row=np.asarray(row, dtype=np.int64),
            target=target,
            prediction=decided(answer, several=several, thresholds=thresholds) if classes is not None else answer,
            probabilities=None if classes is None else answer,
            classes=classes,
            seed=seed,
            weight=weight,
        )

    def take(self, index: np.ndarray) -> Predictions:
        """The rows at ``index``: positions (m,) int, in that order and possibly repeated, or a mask (n,) bool."""
        return replace(
            self,
            row=self.row[index],
            target=None if self.target is None else self.target[index],
            prediction=self.prediction[index],
            probabilities=None if self.probabilities is None else self.probabilities[index],
            fold=None if self.fold is None else self.fold[index],
            weight=None if self.weight is None else self.weight[index],
        )

    @classmethod
    def of_folds(cls, folds: Sequence[Predictions]) -> Predictions:
        """The predictions of several models, one after another, each row with the number of its model from 1."""
        first = folds[0]
        assert all((p.classes, p.seed) == (first.classes, first.seed) for p in folds), "folds of different recipes"

        def joined(name: str) -> np.ndarray | None:
            pieces = [getattr(p, name) for p in folds]
            return None if pieces[0] is None else np.concatenate(pieces)

        fold = np.repeat(np.arange(1, len(folds) + 1), [len(p) for p in folds])
        names = ("row", "target", "prediction", "probabilities", "weight")
        return replace(first, fold=fold, **{name: joined(name) for name in names})

    def to_frame(self) -> polars.DataFrame:
        """Columns ``row``, ``target``, ``prediction``, one ``p_<class>`` per class, ``fold`` (0 for none) and ``seed``.

        A column ``weight`` follows where rows have weights. Classes appear by name, several labels as lists. An unknown
        target is a column of nulls.
        """
        import polars as pl

        columns = [
            pl.Series("row", self.row),
            self._answers("target", self.target),
            self._answers("prediction", self.prediction),
        ]
        if self.classes is not None and self.probabilities is not None:
            chances = np.ascontiguousarray(self.probabilities.T)
            columns += [pl.Series(f"p_{name}", chance) for name, chance in zip(self.classes, chances, strict=True)]
        columns.append(pl.Series("fold", np.zeros(len(self), dtype=np.int64) if self.fold is None else self.fold))
        columns.append(pl.repeat(self.seed, len(self), dtype=pl.Int64, eager=True).alias("seed"))
        if self.weight is not None:
            columns.append(pl.Series("weight", self.weight))
        return pl.DataFrame(columns)

    def _answers(self, name: str, answers: np.ndarray | None) -> polars.Series:
        import polars as pl

        if answers is None:
            kind = pl.Float64 if self.classes is None else pl.List(pl.String) if self.several else pl.String
            return pl.Series(name, [None] * len(self), dtype=kind)
        if self.classes is None:
            return pl.Series(name, answers)
        if self.several:
            held = [[self.classes[at] for at in np.flatnonzero(row)] for row in answers]
            return pl.Series(name, held, dtype=pl.List(pl.String))
        return pl.Series(name, list(self.classes), dtype=pl.String).gather(answers)

    @classmethod
    def from_frame(cls, frame: polars.DataFrame, classes: tuple[str, ...] | None) -> Predictions:
        """The exact inverse of ``to_frame``; ``classes`` gives the order that codes and probabilities follow."""
        assert frame["seed"].n_unique() <= 1, "one Predictions is one seed"
        unknown = frame.height > 0 and frame["target"].null_count() == frame.height
        chances = [] if classes is None else [f"p_{name}" for name in classes if f"p_{name}" in frame.columns]
        assert classes is None or len(chances) in (0, len(classes)), "a probability column is missing"
        return cls(
            row=frame["row"].to_numpy(),
            target=None if unknown else _codes(frame["target"], classes),
            prediction=_codes(frame["prediction"], classes),
            probabilities=np.ascontiguousarray(frame.select(chances).to_numpy()) if chances else None,
            classes=classes,
            fold=frame["fold"].to_numpy() if (frame["fold"] > 0).any() else None,
            seed=frame["seed"][0] if frame.height else 0,
            weight=frame["weight"].to_numpy() if "weight" in frame.columns else None,
        )

    def write(self, path: Path) -> None:
        """Write a parquet file that is, after a kill at any moment, either the old one or the new one, complete."""
        frame, metadata = self.to_frame(), {CLASSES_KEY: json.dumps(self.classes)}
        write_with(path, lambda file: frame.write_parquet(file, metadata=metadata))

    @classmethod
    def read(cls, path: Path) -> Predictions:
        """Read what ``write`` wrote, class order included. Raises AurifyError when the file is not such a table."""
        import polars as pl

        try:
            names = json.loads(pl.read_parquet_metadata(path)[CLASSES_KEY])
            return cls.from_frame(pl.read_parquet(path, glob=False), None if names is None else tuple(names))
        except (OSError, ValueError, KeyError, pl.exceptions.PolarsError) as error:
            raise AurifyError(f"{path} is not a readable table of predictions ({error}); evaluate again") from None


def decided(answer: np.ndarray, *, several: bool, thresholds: np.ndarray | float = 0.5) -> np.ndarray:
    """From probabilities (n, K) the most probable class (n,) or, of ``several`` labels, which are held (n, K)."""
    return (answer >= thresholds).astype(np.int8) if several else answer.argmax(1).astype(np.int64)


def _codes(answers: polars.Series, classes: tuple[str, ...] | None) -> np.ndarray:
    import polars as pl

    if classes is None:
        return answers.to_numpy()
    if isinstance(answers.dtype, pl.List):
        return np.array([[name in held for name in classes] for held in map(set, answers.to_list())], dtype=np.int8)
    return answers.replace_strict(list(classes), list(range(len(classes))), return_dtype=pl.Int64).to_numpy()
