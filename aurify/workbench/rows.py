"""Rows of data as the verbs deal with them: a Store, the gate of every check, predictions of the rows tested."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from aurify.catalog import Catalog
from aurify.core.errors import AurifyError
from aurify.core.folder import RunFolder
from aurify.core.recipe import Recipe
from aurify.core.words import said
from aurify.data.copies import Overlap
from aurify.data.findings import Findings
from aurify.data.image_names import image_names, read_names, write_names
from aurify.data.splits import Parts
from aurify.data.store import Asked, Read, Store
from aurify.measure.clusters import clusters_of
from aurify.measure.predictions import Predictions
from aurify.report.section import Tested
from aurify.ship.bundle import Bundle
from aurify.study.cells import WHOLE, Cells, Size, cells, inner_folds
from aurify.study.tune import Tuner, metric_of, metrics_of
from aurify.workbench.gate import gate, look_alone
from aurify.workbench.subject import Check, Exam, Inner, Subject
from aurify.workbench.summary import summarise
from aurify.workbench.tested import Models, answers, learnt_from, sealed_answers, sealed_rows
from aurify.workbench.tokens import tokens_told
from aurify.workbench.wish import Wish
from aurify.worlds.naming import meant

MOST_TRIED = 10_000
"""Held-out rows that a graph is tried on."""

OF_WORLDS = {"method": "--method", "steps": "--steps", "agents": "--seeds"}
"""Settings of tasks that act, and the options that they have."""

OF_FOLDS = said(
    "Scores are those of each fold's own model on rows it did not see; the shipped model averages the folds' and is not"
    " itself measured."
)


class RowExam(Exam):
    """A model before rows: the sealed ones of its run, or new ones ``asked`` about."""

    def __init__(
        self,
        bundle: Bundle,
        asked: Asked,
        folder: RunFolder | None,
        store: Store | None,
        catalog: Catalog | None = None,
    ):
        """With a ``catalog`` the rows are the sealed ones of ``store``, which each fold's own model answers."""
        self.bundle, self.asked, self.folder, self.store, self.catalog = bundle, asked, folder, store, catalog
        self.sets: Mapping[str, Predictions] = {}

    @cached_property
    def parts(self) -> Parts | None:
        return None if self.folder is None else Parts.open(self.folder.parts)

    @cached_property
    def known(self) -> Overlap | None:
        """Which rows repeat one learnt from; not asked of sealed rows that were parted so that none does."""
        if self.store is None or self.parts is None or (self.catalog is not None and not self.store.test.any()):
            return None
        return learnt_from(self.store, self.parts, self.asked)

    @property
    def part(self) -> str:
        """All targets of the table and which rows are asked about: to leave a column out is another look at it."""
        assert self.store is not None
        table = f"{self.store.schema.target}\n{self.store.schema.classes}".encode()
        target = np.ascontiguousarray(self.store.target).tobytes()
        rows = np.ascontiguousarray(self.asked.rows).tobytes()
        return hashlib.blake2b(b"\n".join((table, rows, target)), digest_size=16).hexdigest()

    @property
    def notes(self) -> Sequence[str]:
        told = [] if self.known is None else self.known.say(said("of {rows:,}", rows=len(self.asked.rows)))
        return [*self.asked.notes, *told]

    def answer(self, check: Check) -> None:
        if self.catalog is None:
            self.sets = answers(self.bundle, self.store, self.parts, self.asked, check)
            return
        assert self.folder is not None and self.store is not None
        self.sets = sealed_answers(self.folder, self.store, self.bundle, self.catalog, check)

    def summarise(self, seed: int, check: Check) -> dict[str, Any]:
        folds = {} if self.catalog is None or self.bundle.recipe.split.folds is None else {"measured": OF_FOLDS}
        return {**summarise(self.sets, self.asked, self.known, seed, check), **folds}

    def write(self, folder: RunFolder) -> None:
        next(iter(self.sets.values())).write(folder.predictions)

    def tested(self, summary: Mapping[str, Any], check: Check) -> Tested:
        assert self.folder is not None and self.catalog is not None and self.store is not None
        models = Models(self.folder, self.bundle, self.catalog)
        return Tested(
            recipe=self.bundle.recipe,
            store=self.store,
            parts=Parts.open(self.folder.parts),
            asked=self.asked,
            sets=self.sets,
            clusters=clusters_of(self.asked.roles, self.asked.rows).codes,
            summary=summary,
            respond=models.respond,
            check=check,
            tokens=lambda: tokens_told(self.bundle, self.asked) if "texts" in self.asked.inputs else None,
            looks=models.looks,
            names=read_names(self.folder.images),
        )


class Rows(Subject):
    """Rows of a Store."""

    def open(self, folder: RunFolder) -> Store:
        return Store.open(folder.store)

    def look(self, read: Read, recipe: Recipe, parts: Sequence[Any], notes: Sequence[str], check: Check) -> Findings:
        return gate(read, recipe, parts, notes, check)

    def look_alone(
        self, read: Read, task: Any, recipe: Recipe | None, check: Check, *, given: bool
    ) -> tuple[Findings, dict[str, Any]]:
        return look_alone(read, task, recipe, check, given=given)

    def size(self, name: str, rows: int | None, steps: int | None, seeds: int | None, *, full: bool) -> Size:
        if seeds is not None:
            raise _about_worlds("--seeds", name)
        if full:
            return WHOLE
        size = Size() if rows is None else Size(rows=rows)
        return size if steps is None else replace(size, steps=steps, examples=None)

    def cells(self, folder: RunFolder, opened: Store, recipe: Recipe, size: Any, *, fresh: bool) -> Cells:
        return cells(recipe, opened, rows_among(folder), size, folder.ablation / "parts", fresh=fresh)

    def trial_cells(self, folder: RunFolder, opened: Store, recipe: Recipe, stream: str, inner: Inner) -> Cells:
        among = rows_among(folder) if inner.among is None else inner.among
        return inner_folds(recipe, opened, among, inner.folds, stream, folder.search / "parts")

    def tuner(self, judge: str | None, cells: Cells, common: Mapping[str, Any]) -> Tuner:
        return Tuner(metric=metric_of(judge, metrics_of(common["store"], cells.all[0])), **common)

    def facts(self, folder: RunFolder, opened: Store, recipe: Recipe, check: Check) -> dict[str, Any]:
        return {"rows": len(rows_among(folder))}

    def keep(self, read: Read, folder: RunFolder) -> None:
        read.store.write(folder.store)
        names = image_names(read.store.schema, read.frames)
        if names is not None:
            write_names(folder.images, names)

    def exam(self, folder: RunFolder, bundle: Bundle, catalog: Catalog) -> RowExam:
        store = self.open(folder)  # one and the same for all who look: its images are one array
        return RowExam(bundle, sealed_rows(folder, store, bundle.recipe.split.folds), folder, store, catalog)

    def exam_on(self, data: Any, bundle: Bundle, folder: RunFolder | None) -> RowExam:
        recipe = bundle.recipe
        asked = recipe.task.ask(bundle.schema, data, recipe.source, labelled=True, by=recipe.split.by)
        return RowExam(bundle, asked, folder, None if folder is None else self.open(folder))

    def tried(self, folder: RunFolder, bundle: Bundle) -> tuple[dict[str, Any], float | None]:
        store, known = self.open(folder), Parts.open(folder.parts)
        chosen = (known.held if len(known.held) else known.fit)[:MOST_TRIED]  # of folds together nothing is held out
        rows = {name: np.asarray(values[chosen]) for name, values in store.inputs.items()}
        return rows, None if bundle.schema.classes else float(np.std(store.target[chosen]))

    def refuse(self, wish: Wish) -> None:
        source = str(wish.data) if isinstance(wish.data, (str, Path)) else ""
        if (source.endswith(".py") or not Path(source).exists()) and (world := meant(source)):
            raise AurifyError(f"{source} is no data; a world is written with all of its name, such as {world}")
        for setting, option in OF_WORLDS.items():
            if setting in wish.task:
                raise _about_worlds(option, wish.name)


def rows_among(folder: RunFolder) -> np.ndarray:
    """Row ids that a study may use: all that are learnt from, none that are tested."""
    parts = Parts.open(folder.parts)
    return np.sort(np.concatenate([parts.fit, parts.held]))


def _about_worlds(option: str, name: str) -> AurifyError:
    return AurifyError(f"{option} is about agents in a world, such as CartPole-v1, and {name} is none: leave it out")
