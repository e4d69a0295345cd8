"""Rows to try an exported model on: a run's own held-out rows, or drawn ones, and copies of them with gaps."""

# N rows, C columns

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from aurify.core import rng
from aurify.data.image_form import IMAGES, Form
from aurify.data.packed import Packed, stacked
from aurify.data.schema import MISSING, UNKNOWN, Schema

DRAWN_ROWS, DRAWN_IMAGES = 1000, 100
GAPS = 0.3
LATEST_SECONDS = 2.2e9
"""Drawn dates lie between 1970 and 2039."""


def drawn(schema: Schema, seed: int) -> dict[str, np.ndarray]:
    """Rows {name: (N, C)} as no data says how they should be: numbers of every size, codes of every value."""
    random = _random(seed, "export/rows")
    rows: dict[str, np.ndarray] = {}
    if schema.numbers:
        shape = (DRAWN_ROWS, len(schema.numbers))
        rows["numbers"] = random.normal(size=shape) * 10 ** random.uniform(-2, 4, shape)
    if schema.categories:
        columns = [random.integers(0, max(1, len(c.values)), DRAWN_ROWS) for c in schema.categories]
        rows["codes"] = np.column_stack(columns)
    if schema.dates:
        rows["dates"] = random.uniform(0, LATEST_SECONDS, (DRAWN_ROWS, len(schema.dates)))
    if schema.image is not None:
        shape = (DRAWN_IMAGES, *Form.of(schema.image.format).shape)
        rows = {name: values[:DRAWN_IMAGES] for name, values in rows.items()}
        rows[IMAGES] = random.integers(0, 256, shape, dtype=np.uint8)
    return rows


def with_gaps(rows: Mapping[str, Any], seed: int) -> dict[str, Any]:
    """The rows, and after them copies of the first with missing cells and unknown values, one with nothing else."""
    random = _random(seed, "export/gaps")
    result: dict[str, Any] = {}
    for name, values in rows.items():
        if isinstance(values, Packed):
            result[name] = stacked([values, values[:1].blanked(range(values.columns)), values[1:DRAWN_ROWS]])
            continue
        if name == IMAGES:
            black = np.zeros_like(values[:1])
            result[name] = np.concatenate([values, black, values[1:DRAWN_ROWS]])
            continue
        copies = np.array(values[:DRAWN_ROWS], dtype=np.float64 if values.dtype.kind == "f" else np.int64)
        gone = random.random(copies.shape) < GAPS
        gone[:1] = True
        marks = np.nan if copies.dtype.kind == "f" else random.choice([MISSING, UNKNOWN], copies.shape)
        result[name] = np.concatenate([values, np.where(gone, marks, copies)])
    return result


def _random(seed: int, stream: str) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(rng.key(seed, stream)))
