"""Control: act in a world so that more is returned; the examples are what the agents do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from aurify.core.errors import AurifyError, listing
from aurify.core.once import Once, anew
from aurify.core.parts import Task, Trait, knob
from aurify.core.recipe import Recipe, Source
from aurify.data.schema import Schema
from aurify.data.splits import Parts
from aurify.data.store import Asked
from aurify.data.tables import ask_table
from aurify.problems.acting import ActingProblem, Method
from aurify.problems.rollouts import PolicyGradient
from aurify.problems.sweeps import ValueIteration
from aurify.problems.transitions import EPOCH, TemporalDifference
from aurify.worlds.asking import as_table
from aurify.worlds.world import Met, World

POLICIES = frozenset({"ppo", "a2c", "reinforce"})

OWN: dict[str, dict[str, Any]] = {
    "ppo": {"envs": 8, "horizon": 128, "passes": 10, "trace": 0.95},
    "a2c": {"envs": 16, "horizon": 8, "passes": 1, "trace": 1.0},
    "reinforce": {"envs": 8, "horizon": 512, "passes": 1, "trace": 1.0},
    "q_learning": {"envs": 32},
    "sarsa": {"envs": 32},
    "value_iteration": {},
}
"""Settings that a recipe leaves open, by method: what papers and zoos agree on, not what one world likes."""

GAMMA, FARTHEST = 0.99, 0.999
"""Discounts where nothing is said; beyond the latter values take longer to spread than most people wait."""

BATCH = 256
VALIDATIONS = 20
PLACES = 24
"""Of an image, on each side, about as many as the first convolution leaves."""

SWEEPS = 100_000
"""At most: value iteration stops when nothing changes."""


@dataclass(kw_only=True)
class Control(Task):
    """Choose actions in a Gymnasium environment so that an episode returns more.

    Helps: where what is right shows only in what comes of it. Hurts: where examples of right answers exist: learning
    from those takes a thousandth of the steps. Methods: ``ppo`` makes likelier what turned out better than expected, a
    bounded change at a time (Schulman et al. 2017), the one to begin with; ``a2c`` does so in one pass (Mnih et al.
    2016) and ``reinforce`` from whole episodes (Williams 1992). ``q_learning`` learns what actions are worth if the
    best follows (Watkins 1989), ``sarsa`` if what is really done follows (Rummery & Niranjan 1994): for countable
    states, elsewhere with a network and no promise. ``value_iteration`` computes it where the model is known (Bellman
    1957).
    """

    examples: ClassVar[str] = "episodes"
    answer_name: ClassVar[str] = "action"
    plainest = {"network": "mlp", "optimizer": "adam"}
    first_knobs = {
        "optimizer.learning_rate": (1e-4, 1e-2),
        "network.width": (16, 256),
        "network.initial": None,
        "task.gamma": None,
        "task.trace": None,
        "task.passes": None,
        "entropy_bonus.weight": None,
        "clip_ratio.limit": None,
        "decay.on": None,
        "normalize_observations.on": None,
        "scale_rewards.on": None,
        "epsilon_greedy.last": None,
        "epsilon_greedy.share": None,
        "visit_rates.slope": None,
    }
    varied = ("gamma", "passes", "trace", "critic", "value_weight")  # others change how much is seen of the world
    method: str = knob("ppo", "how is learnt", choices=tuple(OWN))
    steps: int = knob(100_000, "steps in the world that each agent may take in all", legal=(1, 10**12))
    agents: int = knob(1, "agents that learn side by side, with seeds of their own", legal=(1, 10_000))
    gamma: float | None = knob(
        None,
        "what a reward counts a step later; nothing: 0.99, and for tables what suits the time limit",
        low=0.9,
        high=0.999,
        legal=(0.0, 1.0),
    )
    envs: int | None = knob(None, "environments of each agent; nothing: as the method has it", legal=(1, 10_000))
    horizon: int | None = knob(
        None, "steps in each environment between two lessons; nothing: as the method has it", legal=(1, 1_000_000)
    )
    passes: int | None = knob(
        None,
        "how often what was gathered is learnt from; nothing: as the method has it",
        low=1,
        high=20,
        log=True,
        legal=(1, 1000),
    )
    trace: float | None = knob(
        None,
        "share of later surprises in an advantage (lambda); nothing: as the method has it",
        low=0.8,
        high=1.0,
        legal=(0.0, 1.0),
    )
    critic: bool = knob(True, "estimate beside the policy what will be returned, and learn from what was more")
    value_weight: float = knob(0.5, "weight of the critic's loss beside the policy's", legal=(0.0, 1e6))
    held: int = knob(30, "episodes that choose among agents in the end", legal=(1, 100_000))
    watched: int = knob(4, "of them, those that each validation plays", legal=(1, 100_000))
    tested: int = knob(100, "episodes of the final test", legal=(1, 1_000_000))
    options: tuple[str, ...] = knob((), "settings of the environment", signs="a list, each written NAME=VALUE")
    numbers: int = knob(0, "numbers that an action has, as the world says; 0: it is one of some", legal=(0, 100_000))

    @property
    def traits(self) -> frozenset[Trait]:
        own = {Trait.POLICY} if self.method in POLICIES else {Trait.VALUES}
        return frozenset({Trait.ACTING, Trait.ENTERED, Trait.STATES, Trait.PICTURES, *own})

    def read(self, source: Source, data: Any, by: str = "random", *, labelled: bool = True) -> Met:
        return Met(World.of(str(data), _settings(self.options)))

    def ask(self, schema: Schema, data: Any, source: Source, *, labelled: bool, by: str = "random") -> Asked:
        return ask_table(schema, as_table(schema, data), source, labelled=labelled, by=by)

    def settled(self, store: World) -> Self:
        if store.actions.count is None and self.method not in POLICIES:
            raise AurifyError(
                f"task.method = {self.method} chooses among actions, and {store.source} takes numbers: take"
                f" {listing(sorted(POLICIES))}"
            )
        numbers = 0 if store.actions.count is not None else math.prod(store.actions.shape)
        return replace(
            self, numbers=numbers, gamma=self._as_far_as_episodes(store) if self.gamma is None else self.gamma
        )

    def _as_far_as_episodes(self, store: World) -> float:
        """A discount: a table's looks about as far ahead as an episode may last, for what is measured has none."""
        if self.method in POLICIES or store.limit is None or not store.schema.categories:
            return GAMMA
        return round(min(max(1 - 1 / store.limit, GAMMA), FARTHEST), 6)

    @property
    def discount(self) -> float:
        return GAMMA if self.gamma is None else self.gamma

    def outputs(self, schema: Schema) -> int:
        return self.numbers or super().outputs(schema)

    def setting(self, name: str) -> Any:
        """A setting, as the method has it where nothing says otherwise."""
        said = self.discount if name == "gamma" else getattr(self, name)
        return OWN[self.method].get(name) if said is None else said

    def defaults(self, store: World) -> dict[str, Any]:
        if self.method not in POLICIES:
            return self._of_values(store)
        techniques: dict[str, dict[str, Any]] = {"gradient_clipping": {"limit": 0.5}, "decay": {}, "entropy_bonus": {}}
        if store.schema.numbers:
            techniques |= {"normalize_observations": {}}
        if self.method in ("ppo", "a2c"):
            techniques |= {"scale_rewards": {"gamma": self.discount}}
        if self.method == "ppo":
            techniques |= {"clip_ratio": {}, "normalize_advantages": {}}
        if self.method == "reinforce":
            techniques |= {"normalize_advantages": {}}
            epochs, every = self.steps, VALIDATIONS  # at most: how long episodes are shows when they are played
        else:
            epochs = self._lessons(self.setting("envs") * self.setting("horizon"))
            every = self._lesson(BATCH) * max(1, epochs // VALIDATIONS)
        return {
            "network": _network(store, activation="tanh"),
            # once all goes well gradients are next to nothing, and Adam would make steps of a full size of them
            "optimizer": {"name": "adam", "learning_rate": 1e-3, "epsilon": 1e-5},
            "techniques": techniques,
            "budget": {"batch_size": BATCH, "epochs": epochs, "validate_every": every},
        }

    def _of_values(self, store: World) -> dict[str, Any]:
        if self.method == "value_iteration":
            return _exactly(store)
        updates = self._lessons(self.setting("envs"))
        epochs, table = max(1, updates // EPOCH), bool(store.schema.categories)
        budget = {
            "batch_size": BATCH,
            "epochs": epochs,
            "steps": updates if updates < EPOCH else None,
            "validate_every": EPOCH * max(1, epochs // VALIDATIONS),
        }
        return {**(self._in_a_table() if table else self._in_a_network(store)), "budget": budget}

    def _in_a_table(self) -> dict[str, Any]:
        # values near the end of training go up and down with luck, their mean does not
        steady = {"method": "swa", "begin_at": 0.5}
        slope = round(2 * (1 - min(self.discount, FARTHEST)), 9)
        return {
            # what was never tried is hoped to pay as much as worlds do; else nobody finds a goal that is all that pays
            "network": {"name": "tabular", "initial": 1.0},
            "optimizer": {"name": "sgd", "learning_rate": 1.0, "momentum": 0.0, "nesterov": False},
            "techniques": {"epsilon_greedy": {}, "visit_rates": {"slope": slope}, "weight_averaging": steady},
        }

    def _in_a_network(self, store: World) -> dict[str, Any]:
        """What keeps values from chasing themselves: layer norm in place of a second network (Gallici et al. 2025)."""
        techniques: dict[str, dict[str, Any]] = {"epsilon_greedy": {}, "decay": {}}
        techniques |= {"scale_rewards": {"gamma": self.discount}}
        if store.schema.numbers:
            techniques |= {"normalize_observations": {}}
        return {
            "network": _network(store, norm="layer") if store.schema.image is None else _network(store),
            "optimizer": {"name": "adam", "learning_rate": 1e-3, "epsilon": 1e-5},
            "techniques": techniques,
        }

    def _lessons(self, gathered: int) -> int:
        """How often the agent may gather so many steps; raises AurifyError where it may not do so once."""
        if self.steps < gathered:
            each = f"{self.setting('envs')} environments"
            fewer = "task.envs" if gathered == self.setting("envs") else "task.horizon"
            raise AurifyError(
                f"task.steps = {self.steps:,}: what {self.method} gathers at once, in {each}, is {gathered:,} steps;"
                f" take no fewer, or less of {fewer}"
            )
        return self.steps // gathered

    def part(self, recipe: Recipe, store: World) -> Parts:
        return Parts(np.arange(self.agents), np.arange(self.held), np.arange(self.tested))

    def alone(self) -> Self:
        return replace(self, agents=1)

    def shortened(self, recipe: Recipe, steps: int) -> Recipe:
        """As ``steps`` of a recipe would be fewer: as many validations, each in its place."""
        if steps >= self.steps:
            return recipe
        share, budget = steps / self.steps, recipe.budget
        fewer = {
            name: max(1, math.floor(share * value + 1e-9))  # no more steps than are allowed
            for name in ("epochs", "steps", "validate_every")
            if (value := getattr(budget, name)) is not None
        }
        if "validate_every" in fewer:  # within a lesson nothing is played that would tell one place from another
            lesson = self._lesson(budget.batch_size)
            fewer["validate_every"] = lesson * max(1, round(fewer["validate_every"] / lesson))
        return replace(recipe, task=replace(self, steps=steps), budget=replace(budget, **fewer))

    def _lesson(self, batch_size: int) -> int:
        """Updates that learn from what is gathered at once."""
        if self.method not in POLICIES or self.method == "reinforce":
            return 1
        gathered = self.setting("envs") * self.setting("horizon")
        return self.setting("passes") * -(-gathered // min(gathered, batch_size))

    def problem(
        self, recipe: Recipe, store: World, parts: Parts, device: torch.device, once: Once = anew
    ) -> ActingProblem:
        return ActingProblem(recipe, store, parts, device, self._way(), self.watched)

    def _way(self) -> Method:
        if self.method == "value_iteration":
            return ValueIteration(gamma=self.discount)
        if self.method not in POLICIES:
            return TemporalDifference(envs=self.setting("envs"), gamma=self.discount, as_done=self.method == "sarsa")
        return PolicyGradient(
            envs=self.setting("envs"),
            horizon=self.setting("horizon"),
            passes=self.setting("passes"),
            gamma=self.discount,
            trace=self.setting("trace"),
            value_weight=self.value_weight,
            steps=self.steps,
            whole=self.method == "reinforce",
            critic=self.critic,
        )

    def baselines(
        self, recipe: Recipe, store: Any, parts: Any, asked: Any, check: Callable[[], None]
    ) -> dict[str, Any]:
        return {}

    def merge(self, output: Tensor) -> Tensor:
        return output

    def answers(self, output: Tensor) -> Tensor:
        """How probable each action is (B, K): of one that goes by values the best one is sure; or numbers (B, A)."""
        if self.numbers:
            return output.squeeze(1) if self.numbers == 1 else output
        if self.method in POLICIES:
            return output.softmax(1)
        return F.one_hot(output.argmax(1), output.shape[1]).to(output.dtype)


def _network(store: World, **settings: Any) -> dict[str, Any]:
    """A small network for what is seen: numbers or, in an image, places."""
    if store.schema.image is None:
        return {"name": "mlp", "width": 64, "depth": 2, **settings}
    side = min(store.observed.form.shape[:2])
    stride = 2 ** max(0, round(math.log2(side / PLACES)))
    return {"name": "convnet", "channels": 16, "stages": 1 if side <= PLACES else 2, "width": 64, "stride": stride}


def _exactly(store: World) -> dict[str, Any]:
    """Value iteration: a rate of 1 makes each update a sweep."""
    return {
        "network": {"name": "tabular"} if store.schema.categories else _network(store),
        "optimizer": {"name": "sgd", "learning_rate": 1.0, "momentum": 0.0, "nesterov": False},
        "techniques": {},
        "budget": {"batch_size": BATCH, "epochs": SWEEPS, "validate_every": SWEEPS},
    }


def _settings(options: tuple[str, ...]) -> Mapping[str, Any]:
    import yaml

    found = {}
    for option in options:
        name, equals, text = option.partition("=")
        if not equals or not name.isidentifier():
            raise AurifyError(f"task.options: {option!r} is not written as NAME=VALUE, such as is_slippery=false")
        found[name] = yaml.safe_load(text)
    return found
