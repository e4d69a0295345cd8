"""Several problems of rows as one: models of one recipe that train side by side, each on rows of its own."""

# S models, B rows of one model at a time

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from aurify.blocks.batch_norm import Norm
from aurify.blocks.stack import alone, difference, stacked
from aurify.core.errors import Apart, listing
from aurify.core.gathering import Beside
from aurify.core.recipe import Recipe
from aurify.core.run import Build, Run, Trained
from aurify.core.types import Batch, Held, Input, Signature
from aurify.data.feed_beside import FeedBeside
from aurify.data.prepare import rows_at_once
from aurify.problems.rows import Known, RowProblem


class SideBySide:
    """Problems that differ in rows and seed alone, learnt by one stacked model: each ends as it would by itself.

    Raises Apart, saying why, where they cannot be.
    """

    greater_is_better = False

    def __init__(self, problems: Sequence[RowProblem]):
        first = problems[0]
        require_stacking([problem.recipe for problem in problems])
        for problem in problems:
            _require_same_inputs(first.signature, problem.signature)
        self.problems, self.seeds = problems, tuple(problem.recipe.seed for problem in problems)
        self.traits, self.signature, self.score_name = first.traits, first.signature, first.score_name
        self.plan, self.rows, self.layers, self.answer_layers = first.plan, first.rows, first.layers, ()
        self.feed = FeedBeside([problem.feed for problem in problems])
        self._like: list[nn.Module] = []
        self._scores: tuple[Tensor, Tensor] = (torch.empty(0), torch.empty(0))
        self._unseen, self._seen = ([getattr(p, name) for p in problems] for name in ("unseen", "seen"))

    def model(self, build: Build) -> nn.Module:
        self._like = [problem.model(build) for problem in self.problems]
        if different := difference(self._like):
            raise Apart(different)
        if self.feed.uneven and any(isinstance(module, Norm) for module in self._like[0].modules()):
            raise Apart("some have more rows than others, and norms of batches would see those that fill up")
        return stacked(self._like)

    def losses(self, output: Tensor, batch: Batch) -> Tensor:
        return self.problems[0].losses(output, batch)

    def score(self, run: Run) -> Tensor:
        self._scores = (self.problems[0].scored(self.held_by_each(run)), self._scores[1])
        return self._scores[0]

    def seen_score(self, run: Run) -> Tensor:
        self._scores = (self._scores[0], self.problems[0].scored(self._answered(run, self._seen)))
        return self._scores[1]

    def told(self) -> dict[str, Any]:
        """The scores of each model."""
        return {"scores": self._scores[0].tolist(), "train_scores": self._scores[1].tolist()}

    def held(self, run: Run) -> Held:
        """What all models say of the held-out rows, one model's after another's."""
        every = self.held_by_each(run)
        return Held(*(torch.cat([getattr(one, name) for one in every]) for name in Held.__dataclass_fields__))

    def held_by_each(self, run: Run) -> list[Held]:
        return self._answered(run, self._unseen)

    def trained(self, run: Run) -> list[Trained]:
        """Each model with the layers that were fitted for it."""
        return [
            Trained(alone(run.model, like, at), tuple(problem.layers))
            for at, (like, problem) in enumerate(zip(self._like, self.problems, strict=True))
        ]

    def chosen(self) -> dict[str, Any]:
        return {}

    @torch.no_grad()
    def _answered(self, run: Run, known: Sequence[Known]) -> list[Held]:
        def said(inputs: dict[str, Tensor]) -> Tensor:
            return self.problems[0].merge(run.model(inputs)).float()

        outputs = Beside([inputs for inputs, _ in known]).answered(run.device, said, 2 * rows_at_once(run.device))
        return [
            replace(about, output=problem.in_own_units(output))
            for output, problem, (_, about) in zip(outputs, self.problems, known, strict=True)
        ]


def require_stacking(recipes: Sequence[Recipe]) -> None:
    """Raise Apart where recipes differ in more than the seed, or name a part that does not train side by side."""
    first = recipes[0]
    if any(replace(recipe, seed=first.seed) != first for recipe in recipes):
        raise Apart("their recipes differ in more than the seed")
    for part in (first.network, first.optimizer, *first.techniques):
        if not part.stacks:
            raise Apart(f"{part.name()} does not train several models side by side")
    if first.budget.find_rate:
        raise Apart("each model is to find a learning rate of its own")


def _require_same_inputs(one: Signature, other: Signature) -> None:
    """Raise Apart unless both take in the same columns, of codes with as many values."""
    ours, theirs = _told(one), _told(other)
    different = [name for name in ours | theirs if ours.get(name) != theirs.get(name)]
    if different:
        raise Apart(f"of their {listing(different)} they know other values, as happens with rare ones")


def _told(signature: Signature) -> dict[str, Any]:
    def known(given: Input) -> tuple[Any, ...]:
        own = given.kind == "tokens"  # each has a vocabulary of its own
        return given.kind, given.shape, given.names, () if own else given.cardinalities, given.encoder

    return {name: known(given) for name, given in signature.inputs.items()}
