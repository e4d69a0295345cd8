"""Rows of a Store as a problem to learn: what every task whose examples are rows is bound to its data with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from aurify.core import rng
from aurify.core.gathering import by_width
from aurify.core.once import Once, anew
from aurify.core.recipe import Recipe
from aurify.core.run import Build, Run, Trained
from aurify.core.types import Batch, Held, Layer, Signature
from aurify.data import prepare
from aurify.data.feed import RowFeed
from aurify.data.splits import Parts
from aurify.data.store import Store
from aurify.objectives.kinds import OBJECTIVES, kind_of

MOST_SEEN = 1000
"""Training rows that are scored beside the held-out ones, for the learning curve."""


Known = tuple[dict[str, Any], Held]
"""Rows as a network takes them in, and what there is to know of them beside the output."""


class RowProblem:
    """Rows of a Store bound to what is learnt from them: prepared inputs, batches, loss and score."""

    greater_is_better = False

    def __init__(self, recipe: Recipe, store: Store, parts: Parts, device: torch.device, once: Once = anew):
        self.traits, self.merge = recipe.task.traits, recipe.task.merge
        self.recipe, self.device, self.seeds = recipe, device, (recipe.seed,)
        self.classes = store.schema.classes
        self.objective = OBJECTIVES[kind_of(store.schema)]
        self.score_name = self.objective.SCORE
        view = prepare.view_of(store.hiding(recipe.hidden), parts.fit, recipe.seed)
        prepared = prepare.prepare(recipe.techniques, view, once, recipe.network)
        self.layers, self.target_layer = prepared.layers, prepared.target
        self.plan, self.rows = prepared.plan, torch.from_numpy(parts.fit)[prepared.used]
        self.signature = Signature(prepared.inputs, recipe.task.outputs(store.schema))
        self.feed = RowFeed(
            prepared.values,
            view.target[prepared.used],
            self.rows,
            self.plan,
            self._encode,
            lengths=view.values["texts"].lengths.sum(1)[prepared.used] if "texts" in view.values else None,
            batch_size=recipe.optimizer.batch_size(recipe.budget.batch_size, len(prepared.plan.index)),
            seed=recipe.seed,
            device=device,
            other=prepared.other,
        )
        self.unseen = self._known(store, parts.held)
        random = np.random.Generator(np.random.PCG64(rng.key(recipe.seed, "seen")))
        count = min(MOST_SEEN, len(parts.held), len(parts.fit))
        self.seen = self._known(store, np.sort(random.choice(parts.fit, count, replace=False)))

    @property
    def answer_layers(self) -> list[Layer]:
        """Steps from outputs to the target's own units."""
        return [] if self.target_layer is None else [self.target_layer]

    def _encode(self, target: Tensor) -> Tensor:
        learnt = target if self.target_layer is None else self.target_layer.encode(target)
        return self.objective.encode(learnt, self.signature.outputs)

    def losses(self, output: Tensor, batch: Batch) -> Tensor:
        return self.objective.losses(output, batch)

    def model(self, build: Build) -> nn.Module:
        return build(self.recipe, self.signature)

    def score(self, run: Run) -> Tensor:
        return self.scored([self.held(run)])

    def seen_score(self, run: Run) -> Tensor:
        return self.scored([self.answered(run.model, self.seen)])

    def told(self) -> dict[str, Any]:
        return {}

    def held(self, run: Run) -> Held:
        """Outputs in the target's own units, and targets, of the held-out rows."""
        return self.answered(run.model, self.unseen)

    def trained(self, run: Run) -> list[Trained]:
        return [Trained(run.model, tuple(self.layers))]

    def chosen(self) -> dict[str, Any]:
        return {}

    def scored(self, every: Sequence[Held]) -> Tensor:
        """The score of each of some answers, (S,)."""
        scores = [self.objective.score(known.output, known.target, known.weight) for known in every]
        return torch.tensor(scores, dtype=torch.float64)

    def _known(self, store: Store, rows: np.ndarray) -> Known:
        """Rows prepared once and for all as new ones would be, and what there is to know of them beside the output."""
        inputs = {k: v.to(self.device) for k, v in prepare.apply(self.layers, store.inputs, rows).items()}
        target = torch.from_numpy(np.array(store.target[rows])).to(self.device)
        weight = torch.from_numpy(prepare.weights(store.roles, rows)).to(self.device)
        return inputs, Held(torch.empty(0), target, torch.from_numpy(rows), weight)

    @torch.no_grad()
    def answered(self, model: Callable[[dict[str, Tensor]], Tensor], known: Known) -> Held:
        """What a model says of rows, in the target's own units."""
        inputs, about = known
        step = prepare.rows_at_once(self.device)
        starts = range(0, len(about.rows), step)
        cuts = ({k: v[s : s + step] for k, v in inputs.items()} for s in starts)
        output = self.merge(torch.cat([by_width(cut, self.device, model, 1) for cut in cuts]).float())
        return replace(about, output=self.in_own_units(output))

    def in_own_units(self, output: Tensor) -> Tensor:
        for layer in self.answer_layers:
            output = layer.to(self.device)(output.double())
        return output
