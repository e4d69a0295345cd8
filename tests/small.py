"""Tiny tables, every part there is, and a lab whose recipes train in milliseconds and may be stopped and resumed."""

from __future__ import annotations

import datetime
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
import polars as pl
import torch
from torch import Tensor

from aurify import catalog as catalogs
from aurify.catalog import Catalog
from aurify.core.errors import Interrupted
from aurify.core.folder import RunFolder
from aurify.core.parts import Part, fits
from aurify.core.recipe import Recipe, Source
from aurify.core.run import Run
from aurify.core.watch import Watch
from aurify.data.store import Store
from aurify.ship.boosting import fit_trees
from aurify.ship.bundle import Bundle
from aurify.ship.pipeline import Member
from aurify.training import fit as loop
from aurify.training.checkpoint import Keeper

KINDS = ("classify", "regress")
ROWS, COPIES = 240, 24
NETWORK = {"name": "mlp", "width": 16, "depth": 2}
OPTIMIZER = {"name": "adamw", "learning_rate": 0.01}
BUDGET = {"steps": 12, "batch_size": 32, "validate_every": 4}


@cache
def every_part() -> Catalog:
    """The package's parts and those named in AURIFY_PARTS: an outside part is tested without an edit here."""
    return catalogs.load([p for p in os.environ.get("AURIFY_PARTS", "").split(os.pathsep) if p])


def variants(part: type[Part]) -> dict[str, dict[str, Any]]:
    """Settings worth a run of their own: the defaults, the vivid ones and every other choice, one at a time."""
    found: dict[str, dict[str, Any]] = {"default": {}}
    if getattr(part, "vivid", None):
        found["vivid"] = dict(part.vivid)
    defaults = part().settings()
    for name, knob in part.knobs().items():
        others = [c for c in knob.choices or () if c != defaults[name]]
        found |= {f"{name}={c}": {name: c} for c in others}
    return found


def network_for(part: type[Part], task: Any, own: Any = None) -> Any:
    """The network at hand, or else the first of the catalog that a part fits, one setting changed where need be."""
    own = own or every_part().part("network", NETWORK)
    makes = [type(own), *(n for n in every_part().parts["network"].values() if n is not type(own))]
    for make in makes:
        base = own.settings() if make is type(own) else {}
        for changes in variants(make).values():
            made: Any = make.make({**base, **changes})
            if fits(part, task, made) and fits(make, task):
                return made
    return None


def small_frame(kind: str, seed: int = 0) -> pl.DataFrame:
    """240 rows: numbers, categories (some rare) and dates with gaps, 24 exact copies; target ``y``."""
    random = np.random.default_rng(seed)
    a, b, c = random.normal(size=ROWS), random.exponential(size=ROWS), random.integers(0, 4, ROWS)
    colour = random.choice(["red", "green", "blue", "rare"], ROWS, p=[0.4, 0.3, 0.28, 0.02])
    shape = random.choice(["round", "square"], ROWS)
    signal_ = a - 0.5 * b + 0.4 * c + (colour == "red") - 0.7 * (shape == "round")
    value = 2 + signal_ + 0.3 * random.normal(size=ROWS)
    target = np.select([value < 1.2, value < 2.6], ["low", "mid"], "top") if kind == "classify" else value
    frame = pl.DataFrame(
        {
            "a": [None if gone else v for v, gone in zip(a.tolist(), random.random(ROWS) < 0.1, strict=True)],
            "b": b,
            "c": c,
            "colour": [
                None if gone else v for v, gone in zip(colour.tolist(), random.random(ROWS) < 0.08, strict=True)
            ],
            "shape": shape,
            "day": _moments(seed),
            "y": target,
        }
    )
    return pl.concat([frame.head(ROWS - COPIES), frame.head(COPIES)])


def _moments(seed: int) -> list[datetime.datetime | None]:
    """Minutes of three days, drawn by themselves so that the other columns stay as they are without them."""
    random = np.random.default_rng((seed, 1))
    first = datetime.datetime(2021, 2, 26)
    moments = [first + datetime.timedelta(minutes=at) for at in random.integers(0, 3 * 1440, ROWS).tolist()]
    return [None if gone else at for at, gone in zip(moments, random.random(ROWS) < 0.06, strict=True)]


@dataclass
class Fitted:
    """A trained run, the problem it was trained on and what answers after the network, what was said."""

    run: Run
    problem: Any
    answers: tuple[Any, ...]
    notes: list[str] = field(default_factory=list)

    def weights(self) -> dict[str, Tensor]:
        return {name: value.detach().clone() for name, value in self.run.model.state_dict().items()}

    def held(self) -> Tensor:
        """What is predicted for the held-out rows, answers included."""
        output = self.problem.held(self.run.model).output
        for layer in self.answers[len(self.problem.answer_layers) :]:
            output = layer(output)
        return output

    def trace(self) -> dict[str, Any]:
        """Everything about a run that a second one must repeat; only the clock is left out."""
        own = {t.name(): vars(t) for t in self.run.techniques}
        log = [{k: v for k, v in entry.items() if k != "seconds"} for entry in self.run.log]
        plain = {"step": self.run.step, "best": self.run.best, "stopped": self.run.stopped, "log": log}
        return {
            "weights": self.weights(),
            "held": self.held(),
            "techniques": own,
            "feed": self.problem.feed.state(),
            **plain,
        }


class Lab:
    """Small recipes, and runs of them that may be stopped and resumed."""

    def __init__(self, catalog: Catalog, frames: Mapping[str, pl.DataFrame]):
        self.catalog, self.frames = catalog, frames
        self._stores: dict[str, Store] = {}
        self._fitted: dict[str, Fitted] = {}

    def task(self, kind: str) -> Any:
        return self.catalog.part("task", {"name": "table", "kind": kind})

    def store(self, kind: str) -> Store:
        if kind not in self._stores:
            self._stores[kind] = self.read(kind, self.frames[kind])
        return self._stores[kind]

    def read(self, kind: str, frame: Any, **source: Any) -> Store:
        return self.task(kind).read(Source.make({"target": "y", **source}), frame)[0]

    def recipe(self, kind: str, techniques: Mapping[str, Any] | None = None, **sections: Any) -> Recipe:
        """A recipe with only the techniques named; sections add to the small defaults above."""
        plain = {
            "task": {"name": "table", "kind": kind},
            "source": {"target": "y"},
            "network": sections.pop("network", NETWORK),
            "optimizer": sections.pop("optimizer", OPTIMIZER),
            "budget": {**BUDGET, **sections.pop("budget", {})},
            "techniques": techniques or {},
            "seed": 3,
        }
        return self.catalog.recipe({**plain, **sections})

    def default(self, kind: str) -> Recipe:
        """The task's own recipe, in small."""
        return self.recipe(kind, self.task(kind).defaults(self.store(kind))["techniques"])

    def using(self, recipe: Recipe, group: str, part: type[Part], settings: Mapping[str, Any]) -> Recipe:
        """The recipe with a part in place of what it would clash with, on a network that offers what it needs."""
        made: Any = part.make(settings)
        if group != "technique":
            return Recipe(**{**vars(recipe), group: made})
        network = network_for(part, recipe.task, recipe.network)
        assert network is not None, f"no network offers what {part.name()} needs"
        return replace(recipe, network=network).using(made)

    def problem(self, recipe: Recipe, store: Store | None = None) -> Any:
        task: Any = recipe.task
        store = store or self.store(task.kind)
        return task.problem(recipe, store, task.part(recipe, store), torch.device("cpu"))

    def fit(
        self,
        recipe: Recipe,
        folder: RunFolder | None = None,
        *,
        problem: Any = None,
        stop_at: int | None = None,
        keeper: Keeper | None = None,
        watch: Watch | None = None,
    ) -> Fitted:
        """Train; ``stop_at`` sets what a SIGTERM would set after that many steps, so that Interrupted is raised."""
        problem, watch = problem or self.problem(recipe), watch or Watch()
        notes: list[str] = []
        keeper = keeper or Keeper(folder, 1e9, notes.append)
        if stop_at == 0:
            watch.signal_number = signal.SIGTERM

        def show(run: Run) -> None:
            if run.step == stop_at:
                watch.signal_number = signal.SIGTERM

        run = loop.fit(recipe, problem, torch.device("cpu"), keeper, watch, show)
        return Fitted(run, problem, (*problem.answer_layers, *loop.answers(run)), notes)

    def fit_in_sittings(self, recipe: Recipe, folder: RunFolder, stops: Any) -> Fitted:
        """Train, stopped after each number of steps in ``stops`` and resumed with everything made anew."""
        for stop in stops:
            try:
                return self.fit(recipe, folder, stop_at=stop)
            except Interrupted as error:
                assert error.exit_code == 143  # noqa: PT017
        return self.fit(recipe, folder)

    def fitted(self, recipe: Recipe) -> Fitted:
        """The unbroken run of a recipe, trained once for all tests that look at it."""
        text = recipe.to_yaml()
        if text not in self._fitted:
            self._fitted[text] = self.fit(recipe)
        return self._fitted[text]

    def bundle(self, fitted: Fitted) -> Bundle:
        recipe: Any = fitted.run.recipe
        schema = self.store(recipe.task.kind).schema
        member = Member(tuple(fitted.problem.layers), fitted.run.model, fitted.answers)
        return Bundle(recipe, schema, (member,), torch.device("cpu"))

    def trees(self, recipe: Recipe, store: Store | None = None) -> Bundle:
        """A Bundle of boosted trees alone, fitted on the rows that a recipe's network would learn from."""
        task: Any = recipe.task
        store = store or self.store(task.kind)
        layers = fit_trees(recipe, store, self.problem(recipe, store), task.part(recipe, store).held)
        return Bundle(recipe, store.schema, (Member(layers, None, (), name="trees"),), torch.device("cpu"))


def same(one: Any, other: Any) -> bool:
    """Say whether two trees of plain values and tensors are equal to the last bit."""
    if isinstance(one, Tensor):
        return isinstance(other, Tensor) and one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return one == other
