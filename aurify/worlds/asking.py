"""Observations as an environment gives them, as the table that a model is asked with."""

# N observations

from __future__ import annotations

import math
from typing import Any

import numpy as np

from aurify.core.errors import AurifyError
from aurify.data.image_form import Form
from aurify.data.schema import Schema
from aurify.worlds.spaces import ACTION


def as_table(schema: Schema, data: Any) -> Any:
    """An array (N, *shape) of observations as columns by name; everything else, such as a path or a frame, as it is.

    Raises AurifyError where the observations are of another size than the schema's.
    """
    if not isinstance(data, np.ndarray):
        return data
    columns = [column.name for column in schema.columns if column.name != ACTION]
    if schema.image is not None:
        return {columns[0]: list(_channels_last(data, Form.of(str(schema.image.format))))}
    size = math.prod(data.shape[1:]) if data.ndim else 0
    if size != len(columns):
        raise AurifyError(
            f"an array of the shape {data.shape} does not hold observations of {len(columns)} number(s) each, one after"
            " another: give (observations, numbers of one)"
        )
    flat = data.reshape(len(data), -1)
    return {name: flat[:, at] for at, name in enumerate(columns)}


def _channels_last(images: np.ndarray, form: Form) -> np.ndarray:
    """Images (N, H, W) or (N, H, W, C) of those, or of (N, C, H, W), as an environment may show them."""
    height, width, channels = form.shape
    return np.moveaxis(images, 1, -1) if images.shape[1:] == (channels, height, width) != form.shape else images
