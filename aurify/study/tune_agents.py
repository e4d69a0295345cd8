"""A search in a world: a trial is some agents that learn side by side; of the winner the best agent acts."""

# S agents

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from aurify.core.recipe import Recipe
from aurify.measure.agents import over_episodes
from aurify.measure.judges import RETURNS
from aurify.ship.blending import joined
from aurify.study.cells import Cell, Cells
from aurify.study.examples import kept_returns
from aurify.study.search import Search
from aurify.study.trainings import Wanted
from aurify.study.tune import Tuner, worth_of

OF_EACH = RETURNS[:2]
"""What a search in a world may go by: what each agent has by itself."""


@dataclass(frozen=True, kw_only=True)
class AgentTuner(Tuner):
    """Trials whose score is the mean over agents; the winner is measured again with agents of ``fresh`` other seeds."""

    fresh: int

    def wanted(self, recipe: Recipe, cell: Cell, share: float = 1.0) -> Wanted:
        task: Any = recipe.task
        budget = replace(recipe.budget, seconds=None)
        return Wanted(replace(recipe, task=replace(task, agents=len(cell.parts.fit)), budget=budget), cell, share)

    def again_seconds(self, search: Search, cells: Cells) -> float:
        """Of agents that learn side by side each further one takes about half as much."""
        further = self.fresh / cells.rows("fit") - 1
        return super().again_seconds(search, cells) * (1 + further / 2)

    def shipped(self, search: Search, cells: Cells) -> tuple[bytes, dict[str, Any] | None]:
        """The file of the winner: its agents, of which the one acts that was best while they were validated."""
        best = search.best
        assert best is not None
        assert best.recipe is not None
        return joined([(file, 1.0) for file in self.models_of(best, cells)], best.recipe, self.space.catalog), None

    def measured(self, wanted: Sequence[Wanted]) -> dict[str, Any]:
        """The mean over agents and what each of them returns."""
        files = self.files(wanted, lambda names: names.answers)
        returns = np.concatenate([kept_returns(file, self.metric) for file in files])
        mean = over_episodes(returns, seed=self.seed)["mean"]
        return worth_of(mean.value, mean.low, mean.high, *map(float, returns.mean(1)))
