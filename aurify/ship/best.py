"""The most probable classes of each row, the best first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aurify.core.errors import AurifyError

if TYPE_CHECKING:
    import polars as pl

    from aurify.measure.predictions import Predictions


def best(predictions: Predictions, top: int) -> dict[str, pl.Series]:
    """Columns ``top_1``, ``p_1``, ``top_2`` and so on (n,), of ``top`` classes or all that there are.

    Equally probable ones come in the order of the classes. Raises AurifyError where a number is predicted.
    """
    import polars as pl

    chances, classes = predictions.probabilities, predictions.classes
    if top < 1:
        raise AurifyError(f"--top {top}: show 1 class or more")
    if chances is None or classes is None:
        raise AurifyError(f"--top {top} is for classes, and the model predicts a number; leave it out")
    names = pl.Series(list(classes), dtype=pl.String)
    order = np.argsort(-chances, axis=1, kind="stable")[:, :top]
    columns: dict[str, pl.Series] = {}
    for at in range(order.shape[1]):
        columns[f"top_{at + 1}"] = names.gather(order[:, at])
        columns[f"p_{at + 1}"] = pl.Series(np.take_along_axis(chances, order[:, at : at + 1], 1)[:, 0])
    return columns
