"""Texts: rows with columns of words, perhaps beside numbers and categories, one column to predict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from aurify.core.errors import AurifyError, listing
from aurify.core.parts import Trait
from aurify.core.recipe import Recipe
from aurify.data.columns import IMAGE, TEXT
from aurify.data.splits import Parts
from aurify.data.store import Asked, Store
from aurify.measure.predictions import Predictions
from aurify.measure.text_baselines import fit_text_baselines
from aurify.objectives.kinds import kind_of
from aurify.problems.row_task import FITTING, RowTask, batch_size

MOST_ROWS = 60_000
"""Rows learnt from in all epochs together, by default, as far as the fewest and the most epochs allow."""

FEWEST_EPOCHS, MOST_EPOCHS = 4, 30


@dataclass(kw_only=True)
class Text(RowTask):
    """Predict one column from texts, and from the numbers and categories beside them: a class or a number.

    A row may hold several labels too, as in ``table``. Helps: the default where a column holds sentences, or ``--text``
    names one. Hurts: where every word that matters is already in a column of its own.
    """

    beyond = frozenset({TEXT, IMAGE})
    unexportable = "texts become tokens before an ONNX graph begins"
    plainest = {"network": "mlp", "optimizer": "sgd"}
    first_knobs = {
        "optimizer.learning_rate": (3e-4, 2e-2),
        "budget.batch_size": (16, 256),
        "network.width": (32, 192),
        "network.channels": (32, 192),
        "dropout.rate": None,
        "token_dropout.rate": None,
    }

    @property
    def traits(self) -> frozenset[Trait]:
        return super().traits | {Trait.TEXTS}

    def rather(self, store: Store) -> str | None:
        if store.schema.image is not None:
            return "image"
        return None if store.schema.texts else "table"

    def settled(self, store: Store) -> Self:
        if not store.schema.texts:
            known = [c.name for c in store.schema.columns if c.name not in store.schema.aims]
            raise AurifyError(f"no column holds texts; name one with --text; there are {listing(known, 30)}")
        return super().settled(store)

    def defaults(self, store: Store) -> dict[str, Any]:
        schema = store.schema
        techniques: dict[str, dict[str, Any]] = {
            name: {} for name in ("drop_duplicates", "tokenize", "gradient_clipping", "cosine")
        }
        techniques |= {"dropout": {"rate": 0.4}, "token_dropout": {"rate": 0.1}, "early_stopping": {"patience": 3}}
        techniques |= {"fill_missing": {}, "scale_numbers": {}} if schema.numbers or schema.dates else {}
        techniques |= {"encode_categories": {}} if schema.categories else {}
        techniques |= {"calendar": {}} if schema.dates else {}
        techniques |= {FITTING[kind_of(schema)]: {}}
        rows = int(store.labelled.sum())
        # texts are soon learnt by heart: the more there are, the fewer passes
        epochs = min(MOST_EPOCHS, max(FEWEST_EPOCHS, MOST_ROWS // max(rows, 1)))
        return {
            "network": {"name": "textcnn", "width": 128, "channels": 100},
            "optimizer": {"name": "adamw", "learning_rate": 2e-3},
            "techniques": techniques,
            "budget": {"batch_size": min(64, batch_size(rows)), "epochs": epochs},
            # the two err differently: together they are better than either on every set tried (docs/log.md)
            "blend": {"model": "ngrams" if schema.labels is None else "none"},
        }

    def baselines(
        self, recipe: Recipe, store: Store, parts: Parts, asked: Asked, check: Callable[[], None]
    ) -> dict[str, Predictions]:
        train = Asked(store.inputs, store.target, np.sort(np.concatenate([parts.fit, parts.held])), store.roles)
        return fit_text_baselines(train, asked, store.schema, hidden=recipe.hidden, seed=recipe.seed, check=check)
