"""The verb explain: which words, or which places of an image, an answer to new rows hangs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aurify.core.errors import AurifyError
from aurify.data.store import Asked
from aurify.measure.occlusion import occlusion
from aurify.measure.places import texts_of
from aurify.report.notebook import marked_texts
from aurify.ship.bundle import Bundle
from aurify.workbench.explaining_images import ExplainedImages, explain_images

if TYPE_CHECKING:
    import polars as pl

MOST_ROWS = 1000
"""That are explained in one call: each is asked about up to sixty times."""


@dataclass(frozen=True, eq=False)
class Explained:
    """What ``explain`` found, by row: shown with its words marked in a notebook, and as numbers by ``to_frame()``.

    ``rows`` are as ``measure.occlusion`` makes them, ``classes`` those of the model, None for numbers.
    """

    rows: tuple[dict[str, Any], ...]
    classes: tuple[str, ...] | None

    def to_frame(self) -> pl.DataFrame:
        """One row a piece: row, column, start (in characters), piece, effect, without, prediction and answer.

        ``effect`` is in log-odds of the predicted class, or in the unit of the number; ``without`` is the answer
        (probability or number) without the piece. Characters that cannot be seen are named.
        """
        import polars as pl

        found = [
            {
                "row": row["row"],
                "column": text["column"],
                "start": piece["start"],
                "piece": piece.get("text", "\u2026"),
                "effect": piece["effect"],
                "without": piece["without"],
                "prediction": row["prediction"],
                "answer": row["answer"],
            }
            for row in self.rows
            for text in row["texts"]
            for piece in text["pieces"]
            if "effect" in piece
        ]
        answer = pl.Float64 if self.classes is None else pl.String
        texts = {"row": pl.Int64, "column": pl.String, "start": pl.Int64, "piece": pl.String}
        numbers = {"effect": pl.Float64, "without": pl.Float64, "prediction": answer, "answer": pl.Float64}
        return pl.DataFrame(found, schema={**texts, **numbers})

    def __repr__(self) -> str:
        return f"<{len(self.rows):,} explained rows: .to_frame() has every word>"

    def _repr_html_(self) -> str:
        return marked_texts(self.rows, of_classes=self.classes is not None)


def explain(bundle: Bundle, data: Any) -> Explained | ExplainedImages:
    """Leave each word out, or cover each part of an image, and ask the model again; ``data`` is what ``predict`` takes.

    See ``measure.occlusion`` and ``measure.patches``; of a model that reads images, the images are explained. Of a text
    the first 1,000 characters are looked at word by word. Raises AurifyError for a model that reads neither, for one of
    several labels a row that reads no images, and for too many rows.
    """
    schema, hidden = bundle.schema, bundle.recipe.hidden
    columns = [column for column in texts_of(schema) if column.name not in hidden]
    seen = schema.image is not None and schema.image.name not in hidden
    if not columns and not seen:
        raise AurifyError("this model reads no texts and no images; the report tells of its columns")
    if schema.labels is not None and not seen:
        raise AurifyError("a row of this model may hold several labels, and what is explained is one answer")
    asked = bundle.recipe.task.ask(schema, data, bundle.recipe.source, labelled=False)

    def respond(inputs: Any, at: np.ndarray) -> np.ndarray:
        found = bundle.predictions(Asked(inputs, np.empty(0), np.arange(len(at))), known=False)
        return found.prediction if found.probabilities is None else found.probabilities

    if seen:
        return explain_images(bundle, asked, respond)
    if len(asked.rows) > MOST_ROWS:
        raise AurifyError(f"{len(asked.rows):,} rows are too many to explain word by word; give at most {MOST_ROWS:,}")
    told = bundle.predictions(asked, known=False)
    rows = occlusion(told, respond, asked.inputs, columns, asked.rows.tolist())
    return Explained(tuple(rows), schema.classes)
