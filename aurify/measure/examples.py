"""Rows of a Store as the plain models see them: raw numbers and codes, dates in days."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from aurify.data.dates import DAY_SECONDS
from aurify.data.prepare import weights
from aurify.data.schema import Schema
from aurify.data.store import Asked, blanked
from aurify.measure.baselines import Examples

TABLE = ("numbers", "dates", "codes")
"""What of a Store's inputs plain models see: texts and images are theirs who ask for them."""


def examples_of(asked: Asked, schema: Schema, hidden: Collection[str] = ()) -> Examples:
    """The rows asked about; the columns that are ``hidden`` are as if all of their cells were missing."""
    table = {name: values[asked.rows] for name, values in asked.inputs.items() if name in TABLE}
    inputs = blanked(table, schema, hidden)
    empty = np.empty((len(asked.rows), 0))
    days = inputs.get("dates", empty) / DAY_SECONDS
    return Examples(
        numbers=np.concatenate([inputs.get("numbers", empty), days], axis=1),
        codes=np.array(inputs.get("codes", empty), dtype=np.int64),
        target=np.array(asked.target[asked.rows]),
        row=np.asarray(asked.rows, dtype=np.int64),
        weight=weights(asked.roles, asked.rows) if "weight" in asked.roles else None,
    )
