"""A lab whose recipes train in milliseconds and may be stopped and resumed."""

from __future__ import annotations

import copy
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from aurify.catalog import Catalog
from aurify.core.errors import Interrupted
from aurify.core.folder import RunFolder
from aurify.core.parts import Part, Technique, Trait, clash, fits
from aurify.core.recipe import Recipe, Source
from aurify.core.run import Run
from aurify.core.watch import Watch
from aurify.data.store import Store
from aurify.ship.bundle import Bundle
from aurify.ship.pipeline import THRESHOLDS, Member
from aurify.testing.tables import IMAGE, KINDS, LABELS, POLICY, ROWS, TEXT, VALUES, WORLDS
from aurify.training import fit as loop
from aurify.training.checkpoint import Keeper

if TYPE_CHECKING:
    import polars as pl

NETWORK = {"name": "mlp", "width": 16, "depth": 2}
OPTIMIZER = {"name": "adamw", "learning_rate": 0.01}
STEPS = 12
BUDGET = {"steps": STEPS, "batch_size": 32, "validate_every": 4}


def variants(part: type[Part]) -> dict[str, dict[str, Any]]:
    """Settings worth a run of their own: the defaults, the vivid ones and every other choice, one at a time."""
    found: dict[str, dict[str, Any]] = {"default": {}}
    if vivid := getattr(part, "vivid", None):
        found["vivid"] = dict(vivid)
    defaults = part().settings()
    for name, knob in part.knobs().items():
        others = [c for c in knob.choices or () if c != defaults[name]]
        found |= {f"{name}={c}": {name: c} for c in others}
    return found


SMALL = {"agents": 2, "envs": 2, "held": 2, "tested": 2, "steps": 1000}
"""Of worlds."""

METHODS = {
    POLICY: {"method": "ppo", "horizon": 24, "passes": 2, "options": ["max_episode_steps=30"]},
    VALUES: {"method": "q_learning", "options": ["width=3", "height=3", "traps=[]", "max_episode_steps=12"]},
}


def _task(kind: str) -> dict[str, Any]:
    if kind in WORLDS:
        return {"name": "control", **SMALL, **METHODS[kind]}
    return {"name": kind, "kind": "classify"} if kind in (TEXT, IMAGE) else {"name": "table", "kind": kind}


def kind_of(recipe: Recipe) -> str:
    """The kind of rows that a lab's recipe is for."""
    task: Any = recipe.task
    if task.name() == "control":
        return POLICY if Trait.POLICY in task.traits else VALUES
    return task.name() if task.name() in (TEXT, IMAGE) else task.kind


def parts_in(recipe: Recipe) -> list[dict[str, Any]]:
    """What each part of a recipe holds."""
    return [vars(part) for part in (recipe.task, recipe.network, recipe.optimizer, *recipe.techniques)]


@dataclass
class Fitted:
    """A trained run, the problem it was trained on and what answers after the network, what was said.

    ``recipe`` is the one it was trained by, ``given`` what that recipe's parts held before.
    """

    recipe: Recipe
    given: list[dict[str, Any]]
    run: Run
    problem: Any
    answers: tuple[Any, ...]
    notes: list[str] = field(default_factory=list)

    def weights(self) -> dict[str, Tensor]:
        return {name: value.detach().clone() for name, value in self.run.model.state_dict().items()}

    def held(self) -> Tensor:
        """What is predicted for the held-out rows, answers included."""
        output = self.problem.held(self.run).output
        for layer in self.answers[len(self.problem.answer_layers) :]:
            output = layer(output)
        return output

    def decided(self, output: Tensor) -> Tensor:
        """Which labels count as held by outputs (N, K), at one half where no layer chose other thresholds."""
        chosen = [layer.tensors()[THRESHOLDS] for layer in self.answers if THRESHOLDS in layer.tensors()]
        return output.sigmoid() >= (chosen[-1] if chosen else 0.5)

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
        self._fits: dict[tuple[type[Part], str], bool] = {}

    def task(self, kind: str) -> Any:
        return self.catalog.part("task", _task(kind))

    def kinds_for(self, part: type[Part]) -> tuple[str, ...]:
        """The kinds of rows that a part is tried on: those that it needs, of plain tables all others."""
        if Trait.BERNOULLI in part.needs:
            return (LABELS,)
        if part.needs & {Trait.IMAGES, Trait.PICTURES}:
            return (IMAGE,)
        if part.needs & {Trait.ACTING, Trait.POLICY}:
            return (POLICY,)
        if part.needs & {Trait.VALUES, Trait.STATES}:
            return (VALUES,)
        return (TEXT,) if Trait.TEXTS in part.needs else KINDS

    def network_for(self, part: type[Part], task: Any, own: Any = None) -> Any:
        """The network at hand, or else the first of the catalog that a part fits, one setting changed where need be."""
        own = own or self.catalog.part("network", NETWORK)
        makes = [type(own), *(n for n in self.catalog.parts["network"].values() if n is not type(own))]
        for make in makes:
            base = own.settings() if make is type(own) else {}
            for changes in variants(make).values():
                made: Any = make.make({**base, **changes})
                if fits(part, task, made) and fits(make, task):
                    return made
        return None

    def fits(self, part: type[Part], kind: str) -> bool:
        """Say whether a part can be used with a kind of rows, on one network or another."""
        if (part, kind) not in self._fits:
            task = self.task(kind)
            found = self.network_for(part, task) is not None if issubclass(part, Technique) else fits(part, task)
            self._fits[part, kind] = found
        return self._fits[part, kind]

    def store(self, kind: str) -> Store:
        if kind not in self._stores:
            self._stores[kind] = self.read(kind, WORLDS.get(kind) or self.frames[kind])
        return self._stores[kind]

    def rows(self, kind: str) -> dict[str, np.ndarray]:
        """Raw inputs {name: (N, C)} to ask about: all rows of a kind's table, or what might be seen in its world."""
        if kind not in WORLDS:
            return dict(self.store(kind).inputs)
        world: Any = self.store(kind)
        random, shown = np.random.default_rng(0), world.observed
        codes = shown.kind == "codes"
        seen = random.integers(0, shown.count, ROWS) if codes else random.normal(size=(ROWS, *shown.shape))
        return {name: values.numpy() for name, values in world.values(seen.astype(shown.dtype)).items()}

    def frame(self, kind: str) -> pl.DataFrame:
        """The table of a kind, or one of what might be seen in its world."""
        if kind not in WORLDS:
            return self.frames[kind]
        import polars as pl

        schema, ((name, values),) = self.store(kind).schema, self.rows(kind).items()
        columns = schema.numbers if name == "numbers" else schema.categories
        return pl.DataFrame({c.name: values[:, at] for at, c in enumerate(columns)})

    def read(self, kind: str, frame: Any, **source: Any) -> Store:
        return self.task(kind).read(Source.make({"target": "y", **source}), frame).store

    def recipe(self, kind: str, techniques: Mapping[str, Any] | None = None, **sections: Any) -> Recipe:
        """A recipe with only the techniques named; sections add to the small defaults above."""
        plain = {
            "task": _task(kind),
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
            kept = tuple(t for t in recipe.techniques if group != "network" or not clash(t, made))
            return Recipe(**{**vars(recipe), "techniques": kept, group: made})
        network = self.network_for(part, recipe.task, recipe.network)
        assert network is not None, f"no network offers what {part.name()} needs"
        return replace(recipe, network=network).using(made)

    def problem(self, recipe: Recipe, store: Store | None = None) -> Any:
        task: Any = recipe.task
        store = store or self.store(kind_of(recipe))
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
        given = copy.deepcopy(parts_in(recipe))
        problem, watch = problem or self.problem(recipe), watch or Watch()
        notes: list[str] = []
        keeper = keeper or Keeper(folder, 1e9, notes.append)
        if stop_at == 0:
            watch.signal_number = signal.SIGTERM

        def show(run: Run) -> None:
            if run.step == stop_at:
                watch.signal_number = signal.SIGTERM

        run = loop.fit(recipe, problem, torch.device("cpu"), keeper, watch, show)
        return Fitted(
            recipe, given, run, problem, (*problem.answer_layers, *loop.answers(run, lambda: problem.held(run))), notes
        )

    def fit_in_sittings(self, recipe: Recipe, folder: RunFolder, stops: Any) -> Fitted:
        """Train, stopped after each number of steps in ``stops`` and resumed with everything made anew."""
        for stop in stops:
            try:
                return self.fit(recipe, folder, stop_at=stop)
            except Interrupted as error:
                assert error.exit_code == 143
        return self.fit(recipe, folder)

    def fitted(self, recipe: Recipe) -> Fitted:
        """The unbroken run of a recipe, trained once for all tests that look at it."""
        text = recipe.to_yaml()
        if text not in self._fitted:
            self._fitted[text] = self.fit(recipe)
        return self._fitted[text]

    def bundle(self, fitted: Fitted) -> Bundle:
        recipe: Any = fitted.run.recipe
        schema = self.store(kind_of(recipe)).schema
        every = fitted.problem.trained(fitted.run)
        members = (Member(one.layers, one.network, fitted.answers, one.weight, one.name) for one in every)
        return Bundle(recipe, schema, tuple(members), torch.device("cpu"))
