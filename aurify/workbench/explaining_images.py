"""The verb explain, of images: which places an answer to new ones hangs on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from aurify.core.errors import AurifyError
from aurify.data.image_form import IMAGES
from aurify.data.image_rows import rows_of_input
from aurify.measure.patches import box, covered_patches
from aurify.measure.places import Respond
from aurify.report.notebook import explained_images
from aurify.ship.bundle import Bundle
from aurify.workbench.looks import looks_of

if TYPE_CHECKING:
    import polars as pl

    from aurify.data.store import Asked

MOST_IMAGES = 200
"""That are explained in one call: each is asked about up to 65 times."""


@dataclass(frozen=True, eq=False)
class ExplainedImages:
    """What ``explain`` found, by row: shown as heat over each image in a notebook, and as numbers by ``to_frame()``.

    ``rows`` are as ``measure.patches`` makes them, ``images`` (N, H, W, C) uint8 as the model reads them, ``looks`` of
    each row the image as the network takes it in and the heat (h, w) of Grad-CAM, None where it has none. ``classes``
    are those of the model, None for numbers.
    """

    rows: tuple[dict[str, Any], ...]
    images: np.ndarray
    looks: list[tuple[np.ndarray, np.ndarray]] | None
    classes: tuple[str, ...] | None

    def to_frame(self) -> pl.DataFrame:
        """One row a patch: row, top, left, bottom, right (pixels of the image), effect, without, prediction, answer.

        ``effect`` is in log-odds of the predicted class, or in the unit of the number; ``without`` is the answer
        (probability or number) with the patch covered.
        """
        import polars as pl

        height, width = self.images.shape[1:3]
        found = [
            {
                "row": at,
                **_place(down, across, np.shape(row["effects"]), height, width),
                "effect": row["effects"][down][across],
                "without": row["without"][down][across],
                "prediction": row["prediction"],
                "answer": row["answer"],
            }
            for at, row in enumerate(self.rows)
            for down, across in np.ndindex(*np.shape(row["effects"]))
        ]
        answer = pl.Float64 if self.classes is None else pl.String
        sides = dict.fromkeys(("row", "top", "left", "bottom", "right"), pl.Int64)
        numbers = {"effect": pl.Float64, "without": pl.Float64, "prediction": answer, "answer": pl.Float64}
        return pl.DataFrame(found, schema={**sides, **numbers})

    def __repr__(self) -> str:
        return f"<{len(self.rows):,} explained images: .to_frame() has every patch>"

    def _repr_html_(self) -> str:
        return explained_images(self.rows, self.images, self.looks, of_classes=self.classes is not None)


def explain_images(bundle: Bundle, asked: Asked, respond: Respond) -> ExplainedImages:
    """Cover each part of the images asked about and ask the model again, see ``measure.patches``; Grad-CAM beside it.

    Of several labels a row the most probable one is explained. Raises AurifyError for too many images.
    """
    if len(asked.rows) > MOST_IMAGES:
        raise AurifyError(f"{len(asked.rows):,} images are too many to explain; give at most {MOST_IMAGES:,}")
    told = bundle.predictions(asked, known=False)
    inputs = {name: rows_of_input(values, asked.rows) for name, values in asked.inputs.items()}
    of = told.prediction if told.probabilities is None or not told.several else told.probabilities.argmax(axis=1)
    rows = covered_patches(told, respond, inputs, range(len(asked.rows)), of=of.tolist())
    looks = looks_of(bundle, inputs, None if told.classes is None else of) if len(rows) else None
    return ExplainedImages(tuple(rows), inputs[IMAGES].taken(), looks, bundle.schema.classes)


def _place(down: int, across: int, shape: tuple[int, ...], height: int, width: int) -> dict[str, int]:
    (top, bottom), (left, right) = box(down, shape[0], height), box(across, shape[1], width)
    return {"top": top, "left": left, "bottom": bottom, "right": right}
