"""What was asked for, in words, and the recipe that it becomes once the data is known."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from aurify import catalog as catalogs
from aurify.catalog import Catalog
from aurify.core import recipe as recipes
from aurify.core.errors import AurifyError, suggest
from aurify.core.parts import Trait, fills
from aurify.core.recipe import Recipe, Source, Split
from aurify.core.words import said
from aurify.worlds.naming import looks_like_a_world

UNNAMED = "text"
"""The task that reads where none is named: it reads all that tables hold, and texts."""

ACTING = "control"
"""The task where none is named and the source is the name of a world."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a user asked of ``fit``, before the data is known: plain data of a recipe, and words that change it."""

    data: Any
    recipe: Mapping[str, Any]
    task: Any
    named: bool
    source: Mapping[str, Any]
    split: Split
    settings: Sequence[str]
    using: Sequence[str]
    without: Sequence[str]

    @property
    def name(self) -> str:
        if isinstance(self.data, str) and looks_like_a_world(self.data):
            return self.data.rpartition(":")[2].rpartition("/")[2]
        return Path(self.data).name if isinstance(self.data, (str, Path)) else "frame"

    @property
    def readable(self) -> bool:
        """Whether the data can be read (again)."""
        if not isinstance(self.data, (str, Path)):
            return self.data is not None
        return looks_like_a_world(str(self.data)) or Path(self.data).exists()

    def says(self, setting: str) -> bool:
        """Whether a setting of the recipe itself is the user's word."""
        return setting in self.recipe or any(word.partition("=")[0] == setting for word in self.settings)

    def read(self, catalog: Catalog, *, labelled: bool = True) -> tuple[Any, Any]:
        """Read the data as the task does; returns that task, or the one rather meant where none was named, and it."""
        task: Any = catalog.part("task", self.task)
        read = task.read(Source.make(self.source), self.data, self.split.by, labelled=labelled)
        rather = None if self.named else task.rather(read.store)
        return task if rather is None else catalog.part("task", {**self.task, "name": rather}), read


def words_of(settings: Mapping[str, Any] | Sequence[str], asked: Mapping[str, Any]) -> list[str]:
    """Settings as words, ``{"network.width": 256}`` as ``network.width=256``, and those that were asked for by name."""
    named = dict(settings) if isinstance(settings, Mapping) else {}
    named |= {k: v for k, v in asked.items() if v is not None}
    written = [f"{k}={json.dumps(v, default=np.generic.item)}" for k, v in named.items()]
    return written if isinstance(settings, Mapping) else [*settings, *written]


def wish_of(
    data: Any,
    roles: Mapping[str, Any],
    recipe: str | Path | Mapping[str, Any] | None,
    words: Sequence[str],
    using: Sequence[str],
    without: Sequence[str],
    network: Mapping[str, Any] | None,
) -> Wish:
    """Part the words on task, source and split, which say how to read, from those that wait for the data."""
    plain = recipe if isinstance(recipe, Mapping) else {} if recipe is None else recipes.load_yaml(Path(recipe))
    plain = plain if network is None else {**plain, "network": network}
    early = [w for w in words if w.partition("=")[0].partition(".")[0] in ("task", "source", "split")]
    asked = catalogs.override({"task": {}, **plain, "techniques": {}}, settings=early)
    task = {"name": asked["task"]} if isinstance(asked["task"], str) else _section(asked, "task")
    if isinstance(data, type):  # of an environment
        data = f"{data.__module__}:{data.__qualname__}"
    source, split = (_section(asked, name) for name in ("source", "split"))
    roles = {**roles, "path": data if isinstance(data, (str, Path)) else None}
    source = {**source, **{k: _plainly(v) for k, v in roles.items() if v is not None and v != () and v != []}}
    settled = Split.make(split)
    if settled.folds is not None and source.get("test") is not None:
        raise AurifyError("--folds tests every row in turn and --test names the rows to test: choose one")
    data = source.get("path") if data is None else data
    return Wish(
        data=data,
        recipe=plain,
        task={"name": ACTING if isinstance(data, str) and looks_like_a_world(data) else UNNAMED, **task},
        named="name" in task,
        source=source,
        split=settled,
        settings=[w for w in words if w not in early],
        using=using,
        without=without,
    )


def _plainly(value: Any) -> Any:
    return value if isinstance(value, (str, int)) else str(value) if isinstance(value, Path) else list(value)


def complete(wish: Wish, task: Any, store: Any, catalog: Catalog) -> tuple[Recipe, list[str]]:
    """The task's defaults, overruled by the user's recipe, overruled by the user's words; and which gave way to which.

    A technique that is asked for takes the place of one that fills the same slot.
    """
    defaults = task.defaults(store)
    source = {**wish.source, "target": wish.source.get("target") or store.schema.target}  # texts in folders name it
    plain = {**defaults, **wish.recipe, "source": source, "split": wish.split.settings()}
    if isinstance(plain["budget"] or {}, Mapping):
        plain["budget"] = {**defaults["budget"], **(plain["budget"] or {})}
    plain["task"] = {"name": task.name(), **task.settings()}
    plain = catalogs.override(plain, without=wish.without)
    network = catalogs.override(plain, settings=wish.settings, using=wish.using)["network"]
    named = network["name"] if isinstance(network, Mapping) else network
    displaced = catalog.displaced(plain["techniques"], wish.using, named if isinstance(named, str) else None)
    plain = catalogs.override(plain, settings=wish.settings, using=wish.using, without=list(displaced))
    notes: list[str] = [
        said("{new} takes the place of {old} (slot {slot})", new=new, old=old, slot=slot)
        for old, (new, slot) in displaced.items()
    ]
    recipe = catalog.recipe(plain)
    for technique in recipe.techniques:
        if technique.idle:
            raise AurifyError(f"{technique.name()} {technique.idle}")
    if idle := _idle(recipe, [*wish.using, *wish.settings]):
        recipe = replace(recipe, techniques=tuple(t for t in recipe.techniques if t.name() not in idle))
        what = said(
            "what is encoded once, before training, is not changed later: left out is {names}", names=", ".join(idle)
        )
        notes.append(what)
    for name in sorted(recipe.hidden):
        if name not in store.schema.names:
            raise AurifyError(f"column {name!r} to exclude is not in the data{suggest(name, store.schema.names)}")
    return recipe, notes


def _idle(recipe: Recipe, words: Sequence[str]) -> list[str]:
    """Techniques nobody asked for in ``words`` that would change texts or images encoded before training.

    Raises AurifyError for one that was asked for and changes images.
    """
    parts = (recipe.network, *recipe.techniques)
    encoded = {need for part in parts if Trait.ENCODED in part.offers for need in part.needs} & READ
    asked = {word.removeprefix("techniques.").partition("=")[0].partition(".")[0] for word in words}
    edits = [t for t in recipe.techniques if t.needs & encoded and fills(t, "on_batch")]
    for technique in edits:
        if technique.name() in asked and Trait.IMAGES in technique.needs:
            raise AurifyError(
                f"{technique.name()} changes images while a network learns, and this one sees none: they are encoded"
                " once, before; take network.tuning=full or lora, or leave it out"
            )
    return [t.name() for t in edits if t.name() not in asked]


READ = {Trait.TEXTS, Trait.IMAGES}


def _section(plain: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = plain.get(name) or {}
    if not isinstance(section, Mapping):
        raise AurifyError(f"{name}: expected settings, found {section!r}")
    return section
