"""Tables: rows of numbers and categories, one column to predict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from aurify.core.recipe import Recipe
from aurify.data.splits import Parts
from aurify.data.store import Asked, Store
from aurify.measure.baselines import fit_baselines
from aurify.measure.examples import examples_of
from aurify.measure.predictions import Predictions
from aurify.objectives.kinds import kind_of
from aurify.problems.row_task import FITTING, RowTask, batch_size

MOST_ROWS = 5_000_000
"""Rows learnt from in all epochs together, by default: about ten minutes of one core."""


@dataclass(kw_only=True)
class Table(RowTask):
    """Predict one column of a table from the others: a class or a number.

    A row may hold several labels too: columns of yes and no, or cells that list them. ``auto`` takes a target of texts,
    or of at most 20 different numbers, as classes. Helps: the default for CSV files and data frames.
    """

    plainest = {"network": "mlp", "optimizer": "sgd"}
    first_knobs = {
        "optimizer.learning_rate": (3e-4, 2e-2),
        "budget.batch_size": (64, 512),
        "network.width": (32, 192),
        "network.depth": (1, 4),
        "network.members": (4, 16),
        "dropout.rate": None,
        "weight_decay.amount": None,
        "piecewise_linear.on": None,
        "piecewise_linear.bins": (4, 64),
        "interactions.on": None,
        "cross_categories.on": None,
        "mixup.on": None,
    }

    def defaults(self, store: Store) -> dict[str, Any]:
        techniques: dict[str, dict[str, Any]] = {
            name: {}
            for name in (
                *("drop_duplicates", "fill_missing", "scale_numbers", "encode_categories", "piecewise_linear"),
                *("dropout", "weight_decay", "gradient_clipping", "cosine", "weight_averaging"),
                "early_stopping",
            )
        }
        regress = store.schema.classes is None
        techniques |= {FITTING[kind_of(store.schema)]: {}}
        techniques |= {"calendar": {}} if store.schema.dates else {}
        rows = int(store.labelled.sum())
        # numbers are learnt long and fast, classes are soon learnt by heart (docs/log.md, 2026-11-27)
        epochs, rate = (150, 4e-3) if regress else (40, 1.5e-3)
        return {
            "network": {"name": "tabm"},
            "optimizer": {"name": "adamw", "learning_rate": rate},
            "techniques": techniques,
            "budget": {"batch_size": batch_size(rows), "epochs": min(epochs, max(4, MOST_ROWS // max(rows, 1)))},
        }

    def baselines(
        self, recipe: Recipe, store: Store, parts: Parts, asked: Asked, check: Callable[[], None]
    ) -> dict[str, Predictions]:
        train = Asked(store.inputs, store.target, np.sort(np.concatenate([parts.fit, parts.held])), store.roles)
        known, other = (examples_of(each, store.schema, recipe.hidden) for each in (train, asked))
        return fit_baselines(known, other, classes=store.schema.classes, seed=recipe.seed, check=check)
