"""Tables: rows of numbers and categories, one column to predict."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from aurify.core.errors import AurifyError, listing
from aurify.core.parts import Task, Trait, knob
from aurify.core.recipe import Recipe, Source
from aurify.core.types import Batch, Held, Layer, Signature
from aurify.data import prepare
from aurify.data.columns import LEFT_OUT, NUMBER
from aurify.data.feed import RowFeed
from aurify.data.labels import match_labels
from aurify.data.roles import split_column, split_role, weight_role
from aurify.data.schema import Schema, wanted_types
from aurify.data.sources import Reading, read_frame
from aurify.data.splits import Parts, fold_rows, part_rows, whole
from aurify.data.store import Asked, Store, has_value
from aurify.measure.baselines import Examples, fit_baselines
from aurify.measure.predictions import Predictions
from aurify.objectives import classify, regress

MOST_ROWS = 5_000_000
"""Rows learnt from in all epochs together, by default: about ten minutes of one core."""

GROUPS = "it groups the rows"


@dataclass(kw_only=True)
class Table(Task):
    """Predict one column of a table from the others: a class or a number.

    ``auto`` takes a target of texts, or of at most 20 different numbers, as classes. Helps: the default for CSV
    files and data frames.
    """

    kind: str = knob("auto", "what the target is", choices=("auto", "classify", "regress"))

    @property
    def traits(self) -> frozenset[Trait]:
        either = {"classify": classify.TRAITS, "regress": regress.TRAITS, "auto": classify.TRAITS | regress.TRAITS}
        return either[self.kind] | {Trait.COLUMNS, Trait.BLENDABLE, Trait.OFFLINE}

    def read(self, source: Source, data: Any, by: str = "random") -> tuple[Store, list[str]]:
        reading = Reading.of(source)
        as_written = tuple(n for n, t in wanted_types(source.types).items() if t != NUMBER)
        loaded = read_frame(data, reading, texts=as_written)
        frame = loaded.frame
        if source.target is None:
            raise AurifyError(
                f"which column is to be predicted? say so with --target; there are {listing(frame.columns, 30)}"
            )
        schema = _infer(frame, source, self.kind, by)
        parsed = schema.parse(frame)
        notes = [*loaded.notes]
        notes += [f"column {c.name!r} is left out: {c.reason}" for c in schema.columns if c.kind == LEFT_OUT]
        notes += [*schema.notes, *parsed.notes]
        tables, targets, frames = [parsed.inputs], [schema.parse_target(frame)], [frame]
        if source.test is not None:
            held_loaded = read_frame(Path(source.test), reading, texts=schema.texts, names=schema.names)
            held_back = held_loaded.frame
            more = schema.parse(held_back, source.test)
            notes += [*held_loaded.notes, *more.notes]
            answers, respelt = _targets(schema, held_back, source.test)
            notes += respelt
            tables.append(more.inputs)
            targets.append(answers)
            frames.append(held_back)
        inputs = {name: np.concatenate([table[name] for table in tables]) for name in parsed.inputs}
        test = np.arange(sum(map(len, targets))) >= frame.height
        roles, more_notes = _roles(schema, by, frames, ["the data", str(source.test)][: len(frames)])
        return Store.of(schema, inputs, np.concatenate(targets), test, roles), [*notes, *more_notes]

    def ask(self, schema: Schema, data: Any, source: Source, *, labelled: bool, by: str = "random") -> Asked:
        name = str(data) if isinstance(data, (str, Path)) else "the data"
        loaded = read_frame(data, Reading.of(source), texts=schema.texts, names=schema.names)
        frame = loaded.frame
        parsed = schema.parse(frame, name)
        notes = [*loaded.notes, *parsed.notes]
        ids = {c: frame[c] for c in schema.ids if c in frame.columns}
        if not labelled:
            return Asked(parsed.inputs, np.empty(0), np.arange(frame.height), ids=ids, notes=tuple(notes))
        target, respelt = _targets(schema, frame, name)
        known = has_value(target)
        if not known.any():
            raise AurifyError(f"no row of {name} has a value in the target column {schema.target!r}")
        notes += respelt
        if not known.all():
            notes.append(f"{(~known).sum():,} rows of {name} have no target and are left out")
        if split_column(by) not in (None, *frame.columns):
            notes.append(f"{name} lacks column {split_column(by)!r}: the intervals take its rows as independent")
            by = "random"
        roles, more = _roles(schema, by, [frame], [name])
        rows = np.flatnonzero(known & (roles["weight"] > 0) if "weight" in roles else known)
        return Asked(parsed.inputs, target, rows, roles, notes=(*notes, *more))

    def settled(self, store: Store) -> Self:
        return replace(self, kind="regress" if store.schema.classes is None else "classify")

    def defaults(self, store: Store) -> dict[str, Any]:
        techniques: dict[str, dict[str, Any]] = {
            name: {}
            for name in (
                *("drop_duplicates", "fill_missing", "scale_numbers", "encode_categories", "piecewise_linear"),
                *("dropout", "weight_decay", "gradient_clipping", "cosine", "warm_up", "weight_averaging"),
                "early_stopping",
            )
        }
        regress = store.schema.classes is None
        techniques |= {"scale_target": {}} if regress else {"temperature": {}}
        techniques |= {"calendar": {}} if store.schema.dates else {}
        rows = int(store.labelled.sum())
        # numbers are learnt long and fast, classes are soon learnt by heart (docs/log.md, 2026-11-27)
        epochs, rate = (120, 4e-3) if regress else (40, 1.5e-3)
        return {
            "network": {"name": "tabm"},
            "optimizer": {"name": "adamw", "learning_rate": rate},
            "techniques": techniques,
            "budget": {"batch_size": batch_size(rows), "epochs": min(epochs, max(4, MOST_ROWS // max(rows, 1)))},
        }

    def part(self, recipe: Recipe, store: Store) -> Parts:
        return part_rows(store, recipe.split.test, recipe.split.held, recipe.seed, recipe.split.by)

    def folds(self, recipe: Recipe, store: Store) -> list[Parts]:
        assert recipe.split.folds is not None
        return fold_rows(store, recipe.split.folds, recipe.split.held, recipe.seed, recipe.split.by)

    def whole(self, folds: list[Parts]) -> Parts:
        return whole(folds)

    def problem(self, recipe: Recipe, store: Store, parts: Parts, device: torch.device) -> TableProblem:
        return TableProblem(recipe, store, parts, device)

    def baselines(
        self, recipe: Recipe, store: Store, parts: Parts, asked: Asked, check: Callable[[], None]
    ) -> dict[str, Predictions]:
        train = Asked(store.inputs, store.target, np.sort(np.concatenate([parts.fit, parts.held])), store.roles)
        return fit_baselines(
            _examples(train), _examples(asked), classes=store.schema.classes, seed=recipe.seed, check=check
        )

    def merge(self, output: Tensor) -> Tensor:
        return classify.merge(output) if self.kind == "classify" else regress.merge(output)

    def answers(self, output: Tensor) -> Tensor:
        return output[:, 0] if self.kind == "regress" else classify.probabilities(output)


def _infer(frame: Any, source: Source, kind: str, by: str) -> Schema:
    """The schema of the data; a column that groups the rows is not learnt from, for it would tell new rows nothing."""
    assert source.target is not None
    column = split_column(by)
    if column == source.target:
        raise AurifyError(f"column {column!r} is the target and cannot split the rows; name another with --split")
    grouped = by.startswith("group:") and column in frame.columns
    schema = Schema.infer(
        frame,
        source.target,
        (*source.drop, *([column] if grouped and column is not None else [])),
        kind,
        types=source.types,
        missing=source.missing,
        positive=source.positive,
        weight=source.weight,
    )
    columns = (replace(c, reason=GROUPS) if grouped and c.name == column else c for c in schema.columns)
    return replace(schema, columns=tuple(columns))


def _roles(schema: Schema, by: str, frames: list[Any], names: list[str]) -> tuple[dict[str, np.ndarray], list[str]]:
    """What the rows' groups or times and their weights are, over the rows of all frames, and what was noticed."""
    split, said = split_role(by, frames, names)
    weight, more = weight_role(schema, frames, names)
    return {**split, **weight}, [*said, *more]


def _targets(schema: Schema, frame: Any, name: str) -> tuple[np.ndarray, list[str]]:
    """Targets of a file that the model was not learnt from, whose labels may be spelt otherwise."""
    if schema.classes is None or schema.target not in frame.columns:
        return schema.parse_target(frame, name), []
    labels, how = match_labels(frame[schema.target], schema.classes)
    notes = [f"target {schema.target!r} in {name}: {how}"] if how else []
    return schema.parse_target(frame.with_columns(labels.alias(schema.target)), name), notes


def _examples(asked: Asked) -> Examples:
    empty = np.empty((len(asked.target), 0))
    numbers = asked.inputs.get("numbers", empty)[asked.rows]
    days = asked.inputs.get("dates", empty)[asked.rows] / prepare.DAY_SECONDS
    return Examples(
        numbers=np.concatenate([numbers, days], axis=1),
        codes=np.array(asked.inputs.get("codes", empty)[asked.rows], dtype=np.int64),
        target=np.array(asked.target[asked.rows]),
        row=np.asarray(asked.rows, dtype=np.int64),
        weight=prepare.weights(asked.roles, asked.rows) if "weight" in asked.roles else None,
    )


def batch_size(rows: int) -> int:
    """One dial for small and large tables: about 64 updates an epoch, in batches of 16 to 256."""
    return min(256, max(16, 2 ** round(math.log2(max(1, rows / 64)))))


class TableProblem:
    """A table bound to its rows: prepared inputs, batches, loss and score."""

    greater_is_better = False

    def __init__(self, recipe: Recipe, store: Store, parts: Parts, device: torch.device):
        self.traits, self.merge = recipe.task.traits, recipe.task.merge
        self.device = device
        self.classes = store.schema.classes
        self.score_name = "rmse" if self.classes is None else "log_loss"
        view = prepare.view_of(store, parts.fit, recipe.seed)
        prepared = prepare.prepare(recipe.techniques, view)
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
        self._held_inputs = {k: v.to(device) for k, v in prepare.apply(self.layers, store.inputs, parts.held).items()}
        self._held_rows = torch.from_numpy(parts.held)
        self._held_target = torch.from_numpy(np.array(store.target[parts.held])).to(device)
        self._held_weight = torch.from_numpy(prepare.weights(store.roles, parts.held)).to(device)

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
        held = self.held(model)
        if self.classes is not None:
            return classify.log_loss(held.output, held.target, held.weight)
        return regress.rmse(held.output, held.target, held.weight)

    @torch.no_grad()
    def held(self, model: nn.Module) -> Held:
        """Outputs in the target's own units, and targets, of the held-out rows."""
        count = len(self._held_target)
        step = prepare.rows_at_once(self.device)
        starts = range(0, count, step)
        pieces = [model({k: v[s : s + step] for k, v in self._held_inputs.items()}) for s in starts]
        output = self.merge(torch.cat(pieces).float())
        for layer in self.answer_layers:
            output = layer.to(self.device)(output.double())
        return Held(output, self._held_target, self._held_rows, self._held_weight)
