"""What a model answers for new data, as users get it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aurify.data.label_sets import LabelSets, joined
from aurify.measure.predictions import Predictions
from aurify.ship.best import best
from aurify.worlds.spaces import ACTION

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, eq=False)
class Answer:
    """Predictions for new data, its id columns as they came, and what was noticed about it.

    ``labels`` says how rows of several labels were written. ``count`` is how many rows there are where some could not
    be answered: those without an image that can be read. ``ids`` are of all of them. An answer is called ``name``.
    """

    predictions: Predictions
    ids: Mapping[str, Any]
    notes: tuple[str, ...]
    labels: LabelSets | None = None
    count: int | None = None
    name: str = "prediction"

    def to_frame(self, top: int | None = None) -> pl.DataFrame:
        """What users get, one row per example: ids, ``prediction`` and ``p_<class>``; empty where nothing is answered.

        The first is called ``action`` where the model acts; several numbers that are one action are columns
        ``action_0``, ``action_1`` and so on, as the network says them: bounds are known to the world alone.
        Several labels are written as they were in the data: in one cell, or as a column of 0 and 1 for each. Of ``top``
        classes the probabilities are those of the most probable ones, ``top_1``, ``p_1`` and so on. Raises AurifyError
        for a model that predicts a number.
        """
        import polars as pl

        frame = self._answers(top)
        if self.count is not None and self.count > frame.height:
            places = np.full(self.count, -1)
            places[self.predictions.row] = np.arange(frame.height)
            frame = frame[np.maximum(places, 0)].select(
                pl.when(pl.Series(places >= 0)).then(pl.col(name)).alias(name) for name in frame.columns
            )
        # an id column may be called as an answer is: the answer keeps its name
        ids = {f"{c} (id)" if c in frame.columns else c: values for c, values in self.ids.items()}
        return pl.DataFrame({**ids, **{c: frame[c] for c in frame.columns}})

    def _answers(self, top: int | None) -> pl.DataFrame:
        """The answers to the rows that were asked about."""
        import polars as pl

        frame = self.predictions.to_frame().drop("row", "target", "fold", "seed")
        if top is not None:
            frame = pl.DataFrame({"prediction": frame["prediction"], **best(self.predictions, top)})
        if self.labels is not None:
            frame = pl.DataFrame({**self._held(frame.columns), **{c: frame[c] for c in frame.columns[1:]}})
        if self.name == ACTION and self.predictions.classes is not None:
            frame = frame.with_columns(pl.col("prediction").cast(pl.Int64))
        numbers = self.predictions.prediction
        if self.predictions.classes is None and numbers.ndim == 2:
            return pl.DataFrame({f"{self.name}_{at}": numbers[:, at] for at in range(numbers.shape[1])})
        return frame.rename({"prediction": self.name} if self.name != "prediction" else {})

    def _held(self, taken: Sequence[str]) -> dict[str, Any]:
        """The predicted labels as columns that are not called as those ``taken``."""
        assert self.labels is not None
        held, names = self.predictions.prediction, self.predictions.classes or ()
        if not self.labels.columns:
            return {"prediction": joined(held, names, self.labels)}
        return {f"{c} (label)" if c in taken else c: held[:, at] for at, c in enumerate(names)}
