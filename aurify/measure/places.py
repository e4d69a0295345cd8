"""Where each column of a table lies among its typed inputs, its values in words, and how a model is asked."""

# N rows, C columns, K classes

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from aurify.data.columns import DATE, Column
from aurify.data.dates import written
from aurify.data.schema import MISSING, Schema

MISSING_WORD, UNKNOWN_WORD = "(missing)", "(unknown)"

Inputs = Mapping[str, np.ndarray]
"""Raw typed columns as in a Store: {name: (N, C)}."""

Respond = Callable[[Inputs, np.ndarray], np.ndarray]
"""Inputs (N, C each) and the position among the tested rows that each stands for (N,), which says whose fold's model
answers, to probabilities (N, K) or numbers (N,)."""


@dataclass(frozen=True)
class Place:
    """A column and where it lies: at position ``at`` of the input called ``input``."""

    column: Column
    input: str
    at: int

    @property
    def name(self) -> str:
        return self.column.name

    @property
    def is_category(self) -> bool:
        return self.input == "codes"

    def values(self, inputs: Inputs) -> np.ndarray:
        """The column (N,): numbers or seconds with NaN for missing, or codes (-1 missing, -2 unknown)."""
        return inputs[self.input][:, self.at]

    def replaced(self, inputs: Inputs, values: np.ndarray) -> dict[str, np.ndarray]:
        """The same inputs with other ``values`` (N,) of this column; what was given stays as it is."""
        changed = inputs[self.input].copy()
        changed[:, self.at] = values
        return {**inputs, self.input: changed}

    def missing(self, values: np.ndarray) -> np.ndarray:
        """Which values (N,) are missing."""
        return values == MISSING if self.is_category else np.isnan(values)

    def words(self, value: float) -> str:
        """A value as people write it: a category's name, an ISO date (with its time if it has one), a number."""
        if self.missing(np.asarray(value)):
            return MISSING_WORD
        if self.is_category:
            return self.column.values[int(value)] if value >= 0 else UNKNOWN_WORD
        if self.column.kind == DATE:
            return written(value)
        return f"{value:.0f}" if value == round(value) and abs(value) < 1e15 else f"{value:.6g}"


def places(schema: Schema) -> list[Place]:
    """Every column that is learnt from, in the order of the source."""
    kinds = (("numbers", schema.numbers), ("codes", schema.categories), ("dates", schema.dates))
    found = {column.name: Place(column, name, at) for name, columns in kinds for at, column in enumerate(columns)}
    return [found[name] for name in schema.names if name in found]
