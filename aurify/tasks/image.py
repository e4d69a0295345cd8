"""Images: rows with a picture, perhaps beside numbers and categories, one column to predict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from aurify.core.cores import fast_bfloat16
from aurify.core.errors import AurifyError, listing
from aurify.core.parts import Trait
from aurify.core.recipe import Recipe
from aurify.data.columns import IMAGE, TEXT
from aurify.data.image_form import Form
from aurify.data.splits import Parts
from aurify.data.store import Asked, Store
from aurify.measure.image_baselines import fit_image_baselines
from aurify.measure.predictions import Predictions
from aurify.objectives.kinds import kind_of
from aurify.problems.row_task import FITTING, RowTask, batch_size

SEEN_COLOURED, SEEN_GRAY = 1_000_000, 500_000
"""How many images are learnt from in all, copies counted, where that makes between 8 and 100 epochs."""


@dataclass(kw_only=True)
class Image(RowTask):
    """Predict one column from images, and from the numbers and categories beside them: a class, labels or a number.

    Helps: the default where a column or a folder holds images, or ``--image`` names one. Hurts: where what matters is
    already in columns of their own.
    """

    beyond = frozenset({TEXT, IMAGE})
    tested = 0.1
    plainest = {"network": "mlp", "optimizer": "sgd"}
    first_knobs = {
        "optimizer.learning_rate": (2e-3, 6e-2),
        "budget.batch_size": (32, 512),
        "network.width": (16, 64),
        "network.channels": (16, 128),
        "dropout.rate": None,
    }

    @property
    def traits(self) -> frozenset[Trait]:
        return super().traits | {Trait.IMAGES, Trait.PICTURES}

    def rather(self, store: Store) -> str | None:
        return None if store.schema.image is not None else "text" if store.schema.texts else "table"

    def settled(self, store: Store) -> Self:
        if store.schema.image is None:
            known = [c.name for c in store.schema.columns if c.name not in store.schema.aims]
            raise AurifyError(f"no column holds images; name one with --image; there are {listing(known, 30)}")
        return super().settled(store)

    def defaults(self, store: Store) -> dict[str, Any]:
        schema = store.schema
        assert schema.image is not None
        rows, kind = int(store.labelled.sum()), kind_of(schema)
        coloured = Form.of(schema.image.format).shape[2] > 1
        techniques: dict[str, dict[str, Any]] = {
            "drop_duplicates": {},
            "normalize": {},
            "weight_decay": {"amount": 0.02},
        }
        techniques |= {"decay": {"floor": 0.01}, "warm_up": {"share": 0.2}}
        techniques |= {"translate": {"share": 0.09 if coloured else 0.0625}}
        # digits and letters have no colours, and mean another thing in a mirror
        techniques |= {"flip": {}, "test_time_augmentation": {}} if coloured else {}
        techniques |= {"label_smoothing": {}} if kind == "classify" else {}
        techniques |= {"fill_missing": {}, "scale_numbers": {}} if schema.numbers or schema.dates else {}
        techniques |= {"encode_categories": {}} if schema.categories else {}
        techniques |= {"calendar": {}} if schema.dates else {}
        techniques |= {FITTING[kind]: {}}
        seen = SEEN_COLOURED if coloured else SEEN_GRAY
        return {
            "network": {"name": "speednet"},
            "optimizer": {"name": "muon", "learning_rate": 0.02, "beta2": 0.99},
            "techniques": techniques,
            "budget": {"batch_size": max(32, batch_size(rows)), "epochs": min(100, max(8, round(seen / max(1, rows))))},
            "precision": "bfloat16" if fast_bfloat16() else "float32",
        }

    def baselines(
        self, recipe: Recipe, store: Store, parts: Parts, asked: Asked, check: Callable[[], None]
    ) -> dict[str, Predictions]:
        train = Asked(store.inputs, store.target, np.sort(np.concatenate([parts.fit, parts.held])), store.roles)
        return fit_image_baselines(train, asked, store.schema, hidden=recipe.hidden, seed=recipe.seed, check=check)
