"""The test rows that are answered worst, where a text is all that they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from aurify.core.words import said
from aurify.measure.bands import plain
from aurify.measure.contributions import losses
from aurify.measure.intervals import row_weights
from aurify.measure.pieces import shortened
from aurify.measure.places import Inputs, Place
from aurify.measure.predictions import Predictions
from aurify.measure.summaries import known_target
from aurify.measure.verdict import number
from aurify.report.numbered import row_name
from aurify.report.section import Block, Paragraph, Rows
from aurify.report.values import share

MOST, CHARACTERS = 20, 160
"""Rows that are listed, and characters of the text of each."""


def wrong_texts(ours: Predictions, inputs: Inputs, column: Place) -> list[dict[str, Any]]:
    """The rows of the largest loss, of those that are answered wrongly, the worst first."""
    target, names, chances = known_target(ours), ours.classes, ours.probabilities
    loss = np.where((row_weights(ours) > 0) & (ours.prediction != target), losses(ours), -np.inf)
    worst = [at for at in np.argsort(-loss, kind="stable")[:MOST] if np.isfinite(loss[at])]
    texts = column.values({name: values[np.array(worst, dtype=np.int64)] for name, values in inputs.items()})
    return [
        {
            "row": int(ours.row[at]),
            "text": shortened(text, CHARACTERS),
            "target": plain(target[at]) if names is None else names[target[at]],
            "prediction": plain(ours.prediction[at]) if names is None else names[ours.prediction[at]],
            "chance": None if chances is None else plain(chances[at, ours.prediction[at]]),
            "loss": plain(loss[at]),
        }
        for at, text in zip(worst, texts, strict=True)
    ]


def wrong_texts_told(found: Sequence[Mapping[str, Any]]) -> list[Block]:
    """A table of them."""
    if not found:
        return [Paragraph(said("No test row was answered wrongly."))]
    about = said(
        "The test rows that cost the model most. Some of them may be errors in the data, such as a wrong label: they"
        " are worth a look. Rows are counted from 0, without a header."
    )
    header = [said("row"), said("text"), said("true"), said("answered"), said("loss")]
    rows = [
        [row_name(each), each["text"] or said("(missing)"), _value(each["target"]), _answer(each), number(each["loss"])]
        for each in found
    ]
    return [Paragraph(about), Rows(header, rows, numbers=False)]


def _value(value: Any) -> str:
    return value if isinstance(value, str) else number(value)


def _answer(found: Mapping[str, Any]) -> str:
    if found["chance"] is None:
        return _value(found["prediction"])
    return said("{name} ({share})", name=found["prediction"], share=share(found["chance"]))
