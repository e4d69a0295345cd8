"""Where each column of a table lies among its typed inputs, its values in words, and how a model is asked."""

# N rows, C columns, K classes

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from aurify.data.columns import DATE, Column
from aurify.data.dates import written
from aurify.data.image_form import IMAGES
from aurify.data.schema import MISSING, Schema
from aurify.measure.pieces import shortened

MISSING_WORD, UNKNOWN_WORD, IMAGE_WORD = "(missing)", "(unknown)", "(its image)"

TOLD = 60
"""Characters of a text that stand for it."""

Inputs = Mapping[str, Any]
"""Raw typed columns as in a Store: {name: (N, C)}, arrays, ``Packed`` texts and ``ImageRows``."""

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

    def put(self, inputs: dict[str, Any], rows: np.ndarray, one: Inputs) -> None:
        """Change this column of inputs (N, C), which are the caller's own, to that of the row ``one`` where ``rows``
        (N,) bool say so."""
        inputs[self.input][rows, self.at] = one[self.input][0, self.at]

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


@dataclass(frozen=True)
class TextPlace(Place):
    """A column of texts, each a value as a whole."""

    def values(self, inputs: Inputs) -> np.ndarray:
        """The texts (N,) object, empty for missing."""
        texts = inputs[self.input].column(self.at)
        return np.fromiter(texts, dtype=object, count=len(texts))

    def replaced(self, inputs: Inputs, values: np.ndarray) -> dict[str, Any]:
        return {**inputs, self.input: inputs[self.input].replaced(self.at, list(values))}

    def put(self, inputs: dict[str, Any], rows: np.ndarray, one: Inputs) -> None:
        changed = self.values(inputs)
        changed[rows] = self.values(one)[0]
        inputs[self.input] = inputs[self.input].replaced(self.at, list(changed))

    def missing(self, values: np.ndarray) -> np.ndarray:
        return values == ""

    def words(self, value: Any) -> str:
        """A text on one line, its first characters where it is long."""
        return shortened(value, TOLD) if value else MISSING_WORD


@dataclass(frozen=True)
class LengthPlace(Place):
    """How many characters the texts of a column have, NaN for none: something to tell rows apart by."""

    def values(self, inputs: Inputs) -> np.ndarray:
        lengths = inputs[self.input].lengths[:, self.at].astype(np.float64)
        return np.where(lengths == 0, np.nan, lengths)


@dataclass(frozen=True)
class ImagePlace(Place):
    """The column of images, each a value as a whole: which image of the array a row has."""

    def values(self, inputs: Inputs) -> np.ndarray:
        return inputs[self.input].index

    def replaced(self, inputs: Inputs, values: np.ndarray) -> dict[str, Any]:
        return {**inputs, self.input: replace(inputs[self.input], index=values)}

    def put(self, inputs: dict[str, Any], rows: np.ndarray, one: Inputs) -> None:
        assert inputs[self.input].values is one[self.input].values, "images of two arrays"
        inputs[self.input] = replace(
            inputs[self.input], index=np.where(rows, one[self.input].index[0], inputs[self.input].index)
        )

    def missing(self, values: np.ndarray) -> np.ndarray:
        return np.zeros(len(values), dtype=bool)

    def words(self, value: Any) -> str:
        return IMAGE_WORD


def rows_of(inputs: Inputs, rows: np.ndarray) -> dict[str, Any]:
    """Some rows of inputs, by position (M,)."""
    return {name: values[rows] for name, values in inputs.items()}


def texts_of(schema: Schema) -> list[TextPlace]:
    """Every column of texts, in the order in which they lie."""
    return [TextPlace(column, "texts", at) for at, column in enumerate(schema.texts)]


def lengths_of(schema: Schema) -> list[LengthPlace]:
    """The lengths of every column of texts."""
    return [LengthPlace(column, "texts", at) for at, column in enumerate(schema.texts)]


def image_of(schema: Schema) -> list[ImagePlace]:
    """The column of images, where there is one."""
    return [] if schema.image is None else [ImagePlace(schema.image, IMAGES, 0)]


def every_place(schema: Schema) -> list[Place]:
    """Every column that is learnt from, texts and images too, in the order of the source."""
    found = {place.name: place for place in [*places(schema), *texts_of(schema), *image_of(schema)]}
    return [found[name] for name in schema.names if name in found]


def places(schema: Schema) -> list[Place]:
    """Every column of numbers, dates or categories that is learnt from, in the order of the source."""
    kinds = (("numbers", schema.numbers), ("codes", schema.categories), ("dates", schema.dates))
    found = {column.name: Place(column, name, at) for name, columns in kinds for at, column in enumerate(columns)}
    return [found[name] for name in schema.names if name in found]
