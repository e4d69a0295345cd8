"""Train what a recipe asks for in its run folder: one model, or one for each fold and their mean."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from aurify.catalog import Catalog
from aurify.core.errors import Apart
from aurify.core.files import read_record, write_json
from aurify.core.folder import RunFolder
from aurify.core.recipe import Recipe
from aurify.core.watch import Watch
from aurify.core.words import keep
from aurify.data.splits import Parts
from aurify.ship.agents_apart import recipe_of, together, write_log
from aurify.ship.bundle import Bundle
from aurify.ship.make import make
from aurify.training.checkpoint import Keeper
from aurify.training.fit import TIME_FOR_MEASURING, Show
from aurify.workbench.subjects import subject_of


@dataclass(frozen=True, kw_only=True)
class Training:
    """What training takes beside a folder with data and parts in it."""

    recipe: Recipe
    catalog: Catalog
    device: torch.device
    watch: Watch
    checkpoint_seconds: float | None
    show: Show
    note: Callable[[str], None]

    def train(self, folder: RunFolder) -> None:
        """Leave a Bundle and the record of its training in the folder, or go on where an earlier sitting stopped.

        Raises DivergedError and Interrupted as the loop does.
        """
        store = subject_of(self.recipe.task).open(folder)
        if self.recipe.split.folds is None:
            self._train_on(store, folder)
        else:
            self._train_folds(store, folder, self.recipe.split.folds)

    def _train_on(self, store: Any, folder: RunFolder) -> None:
        """Train on the parts kept in the folder."""
        keeper = Keeper(folder, self.checkpoint_seconds, self.note)
        parts = Parts.open(folder.parts)
        try:
            bundle, record = make(self.recipe, store, parts, self.device, keeper, self.watch, self.show)
        except Apart as reason:
            self.note(f"{reason}: they are trained one after another")
            bundle, record = self._train_agents(store, folder, parts)
        self._keep(folder, bundle, record)

    def _train_agents(self, store: Any, folder: RunFolder, parts: Parts) -> tuple[Bundle, dict[str, Any]]:
        """Train each agent in a folder of its own, finished ones not again; what training them together would give."""
        spent, records, bundles, logs, count = 0.0, [], [], [], len(parts.fit)
        for agent in range(count):
            place = RunFolder(folder.agents / str(agent))
            if place.bundle.exists():
                self.watch.resume_at(read_record(place.training)["seconds"])
            else:
                self.note(f"training agent {agent + 1} of {count}")
                place.path.mkdir(parents=True, exist_ok=True)
                replace(parts, fit=parts.fit[:1]).write(place.parts)
                self.watch.limit_seconds = self._limit(spent, count - agent)
                replace(self, recipe=recipe_of(self.recipe, agent))._train_on(store, place)
            records.append(read_record(place.training))
            spent = records[-1]["seconds"]
            bundles.append(Bundle.load(place.bundle, self.catalog, self.device))
            logs.append(place.read_progress())
        self.watch.limit_seconds = self.recipe.budget.seconds
        write_log(folder, logs)
        steps = {name: max(record[name] for record in records) for name in ("steps", "planned_steps")}
        stopped = [record["stopped"] for record in records]
        record = {**records[-1], **steps, "stopped": stopped[0] if all(stopped) else None}
        return together(self.recipe, store, parts, bundles, self.watch.check), record

    def _keep(self, folder: RunFolder, bundle: Bundle, record: dict[str, Any]) -> None:
        write_json(folder.training, keep(record))
        bundle.save(folder.bundle, self.catalog)

    def _train_folds(self, store: Any, folder: RunFolder, folds: int) -> None:
        """Train each fold's own model in a folder of its own, finished ones not again, and keep their mean."""
        spent, records, members = 0.0, [], []
        for number in range(1, folds + 1):
            fold = folder.fold(number)
            if fold.bundle.exists():
                self.watch.resume_at(read_record(fold.training)["seconds"])
            else:
                self.note(f"training on fold {number} of {folds}")
                self.watch.limit_seconds = self._limit(spent, folds + 1 - number)
                self._train_on(store, fold)
            records.append(read_record(fold.training))
            spent = records[-1]["seconds"]
            one = Bundle.load(fold.bundle, self.catalog, self.device)
            members += [replace(m, weight=m.weight / folds, name=f"{m.name} {number}") for m in one.members]
        self.watch.limit_seconds = self.recipe.budget.seconds
        steps = {name: sum(r[name] for r in records) for name in ("steps", "planned_steps")}
        stopped = next((r["stopped"] for r in records if r["stopped"] is not None), None)
        mean = Bundle(self.recipe, store.schema, tuple(members), self.device)
        self._keep(folder, mean, {**steps, "stopped": stopped, "seconds": spent, "folds": records})

    def _limit(self, spent: float, folds_left: int) -> float | None:
        """When the clock stops the next fold, so that those left share what is left beside measuring.

        From what is on disk alone, so that a resumed fold has the limit it began with.
        """
        if self.recipe.budget.seconds is None:
            return None
        share = 1 - TIME_FOR_MEASURING
        return (spent + (share * self.recipe.budget.seconds - spent) / folds_left) / share
