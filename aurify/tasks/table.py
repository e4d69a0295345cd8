"""Tables: rows of numbers and categories, one column to predict."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from aurify.core import rng
from aurify.core.once import Once, anew
from aurify.core.parts import Task, Trait, knob
from aurify.core.recipe import Recipe, Source
from aurify.core.types import Batch, Held, Layer, Signature
from aurify.data import prepare
from aurify.data.feed import RowFeed
from aurify.data.schema import Schema
from aurify.data.splits import Parts, Samples, fold_rows, held_share, part_rows, sample_rows, whole
from aurify.data.store import Asked, Read, Store
from aurify.data.tables import ask_table, read_table
from aurify.measure.baselines import fit_baselines
from aurify.measure.examples import examples_of
from aurify.measure.predictions import Predictions
from aurify.objectives import classify, regress

MOST_ROWS = 5_000_000
"""Rows learnt from in all epochs together, by default: about ten minutes of one core."""

MOST_SEEN = 1000
"""Training rows that are scored beside the held-out ones, for the learning curve."""


@dataclass(kw_only=True)
class Table(Task):
    """Predict one column of a table from the others: a class or a number.

    ``auto`` takes a target of texts, or of at most 20 different numbers, as classes. Helps: the default for CSV
    files and data frames.
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
    kind: str = knob("auto", "what the target is", choices=("auto", "classify", "regress"))

    @property
    def traits(self) -> frozenset[Trait]:
        either = {"classify": classify.TRAITS, "regress": regress.TRAITS, "auto": classify.TRAITS | regress.TRAITS}
        return either[self.kind] | {Trait.COLUMNS, Trait.BLENDABLE, Trait.OFFLINE}

    def read(self, source: Source, data: Any, by: str = "random", *, labelled: bool = True) -> Read:
        return read_table(source, data, self.kind, by, labelled=labelled)

    def ask(self, schema: Schema, data: Any, source: Source, *, labelled: bool, by: str = "random") -> Asked:
        return ask_table(schema, data, source, labelled=labelled, by=by)

    def settled(self, store: Store) -> Self:
        return replace(self, kind="regress" if store.schema.classes is None else "classify")

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
        techniques |= {"scale_target": {}} if regress else {"temperature": {}}
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

    def part(self, recipe: Recipe, store: Store) -> Parts:
        held = held_share(recipe.split.held, int(store.labelled.sum()))
        return part_rows(store.hiding(recipe.hidden), recipe.split.test, held, recipe.seed, recipe.split.by)

    def folds(self, recipe: Recipe, store: Store, among: np.ndarray | None = None) -> list[Parts]:
        assert recipe.split.folds is not None
        held = held_share(recipe.split.held, int(store.labelled.sum()) if among is None else len(among))
        return fold_rows(store.hiding(recipe.hidden), recipe.split.folds, held, recipe.seed, recipe.split.by, among)

    def samples(self, recipe: Recipe, store: Store, among: np.ndarray, count: int, most: int | None) -> Samples:
        return sample_rows(store.hiding(recipe.hidden), among, count, most, recipe.seed, recipe.split.by)

    def whole(self, folds: list[Parts]) -> Parts:
        return whole(folds)

    def problem(
        self, recipe: Recipe, store: Store, parts: Parts, device: torch.device, once: Once = anew
    ) -> TableProblem:
        return TableProblem(recipe, store, parts, device, once)

    def baselines(
        self, recipe: Recipe, store: Store, parts: Parts, asked: Asked, check: Callable[[], None]
    ) -> dict[str, Predictions]:
        train = Asked(store.inputs, store.target, np.sort(np.concatenate([parts.fit, parts.held])), store.roles)
        known, other = (examples_of(each, store.schema, recipe.hidden) for each in (train, asked))
        return fit_baselines(known, other, classes=store.schema.classes, seed=recipe.seed, check=check)

    def merge(self, output: Tensor) -> Tensor:
        return classify.merge(output) if self.kind == "classify" else regress.merge(output)

    def answers(self, output: Tensor) -> Tensor:
        return output[:, 0] if self.kind == "regress" else classify.probabilities(output)


def batch_size(rows: int) -> int:
    """One dial for small and large tables: about 64 updates an epoch, in batches of 16 to 256."""
    return min(256, max(16, 2 ** round(math.log2(max(1, rows / 64)))))


class TableProblem:
    """A table bound to its rows: prepared inputs, batches, loss and score."""

    greater_is_better = False

    def __init__(self, recipe: Recipe, store: Store, parts: Parts, device: torch.device, once: Once = anew):
        self.traits, self.merge = recipe.task.traits, recipe.task.merge
        self.device = device
        self.classes = store.schema.classes
        self.score_name = "rmse" if self.classes is None else "log_loss"
        view = prepare.view_of(store.hiding(recipe.hidden), parts.fit, recipe.seed)
        prepared = prepare.prepare(recipe.techniques, view, once)
        self.layers, self.target_layer = prepared.layers, prepared.target
        self.plan, self.rows = prepared.plan, torch.from_numpy(parts.fit)[prepared.used]
        self.signature = Signature(prepared.inputs, 1 if self.classes is None else len(self.classes))
        self.feed = RowFeed(
            prepared.values,
            view.target[prepared.used],
            self.rows,
            self.plan,
            self._encode,
            batch_size=recipe.optimizer.batch_size(recipe.budget.batch_size, len(prepared.plan.index)),
            seed=recipe.seed,
            device=device,
        )
        self._held = self._known(store, parts.held)
        random = np.random.Generator(np.random.PCG64(rng.key(recipe.seed, "seen")))
        count = min(MOST_SEEN, len(parts.held), len(parts.fit))
        self._seen = self._known(store, np.sort(random.choice(parts.fit, count, replace=False)))

    @property
    def answer_layers(self) -> list[Layer]:
        """Steps from outputs to the target's own units."""
        return [] if self.target_layer is None else [self.target_layer]

    def _encode(self, target: Tensor) -> Tensor:
        if self.classes is not None:
            return classify.encode(target, len(self.classes))
        return (target if self.target_layer is None else self.target_layer.encode(target)).float()

    def losses(self, output: Tensor, batch: Batch) -> Tensor:
        return regress.losses(output, batch) if self.classes is None else classify.losses(output, batch)

    def score(self, model: nn.Module) -> float:
        return self._score(self.held(model))

    def seen_score(self, model: nn.Module) -> float:
        return self._score(self._answered(model, self._seen))

    def held(self, model: nn.Module) -> Held:
        """Outputs in the target's own units, and targets, of the held-out rows."""
        return self._answered(model, self._held)

    def _score(self, known: Held) -> float:
        measure = regress.rmse if self.classes is None else classify.log_loss
        return measure(known.output, known.target, known.weight)

    def _known(self, store: Store, rows: np.ndarray) -> tuple[dict[str, Tensor], Held]:
        """Rows prepared once and for all as new ones would be, and what there is to know of them beside the output."""
        inputs = {k: v.to(self.device) for k, v in prepare.apply(self.layers, store.inputs, rows).items()}
        target = torch.from_numpy(np.array(store.target[rows])).to(self.device)
        weight = torch.from_numpy(prepare.weights(store.roles, rows)).to(self.device)
        return inputs, Held(torch.empty(0), target, torch.from_numpy(rows), weight)

    @torch.no_grad()
    def _answered(self, model: nn.Module, known: tuple[dict[str, Tensor], Held]) -> Held:
        inputs, about = known
        step = prepare.rows_at_once(self.device)
        starts = range(0, len(about.rows), step)
        pieces = [model({k: v[s : s + step] for k, v in inputs.items()}) for s in starts]
        output = self.merge(torch.cat(pieces).float())
        for layer in self.answer_layers:
            output = layer.to(self.device)(output.double())
        return replace(about, output=output)
