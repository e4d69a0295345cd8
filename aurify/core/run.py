"""One training run: the only mutable thing the seams see, and what the loop needs of a task."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn

from aurify.core import rng

if TYPE_CHECKING:
    from aurify.core.parts import Technique, Trait
    from aurify.core.recipe import Recipe
    from aurify.core.types import Batch, Held, Layer, RowPlan, Signature


class Feed(Protocol):
    """Serves batches; its state is all that a resumed run needs to serve the same ones again."""

    @property
    def steps_per_epoch(self) -> int: ...
    def next(self, run: Run) -> Batch: ...
    def state(self) -> dict[str, Any]: ...
    def mark(self) -> dict[str, Any] | None:
        """The state before each batch, to serve that one again; None where it costs much or cannot be."""
        ...

    def restore(self, state: dict[str, Any]) -> None: ...


@dataclass(frozen=True, eq=False)
class Trained:
    """A network that answers, what prepares raw inputs for it, and its share of the answer."""

    network: nn.Module
    layers: tuple[Layer, ...]
    weight: float = 1.0
    name: str = "network"


Build = Callable[["Recipe", "Signature"], nn.Module]
"""Makes the network of a recipe, first weights included."""


class Problem(Protocol):
    """A task bound to its data: all that the loop knows of it."""

    @property
    def traits(self) -> frozenset[Trait]: ...
    @property
    def signature(self) -> Signature: ...
    @property
    def feed(self) -> Feed: ...
    @property
    def score_name(self) -> str: ...
    @property
    def greater_is_better(self) -> bool: ...
    @property
    def seeds(self) -> Sequence[int]:
        """Of each model that is trained side by side; rows of batches and of outputs are model after model."""
        ...

    @property
    def plan(self) -> RowPlan:
        """Which training rows are learnt from; positions are within ``rows``."""
        ...

    @property
    def rows(self) -> Tensor:
        """Store row ids (U,) of the training rows in use, on the CPU."""
        ...

    @property
    def layers(self) -> Sequence[Layer]:
        """What prepares raw inputs for the network, fitted on the training rows."""
        ...

    @property
    def answer_layers(self) -> Sequence[Layer]:
        """Steps from outputs to the target's own units."""
        ...

    def model(self, build: Build) -> nn.Module:
        """What is trained, made of networks that ``build`` makes, first weights included."""
        ...

    def losses(self, output: Tensor, batch: Batch) -> Tensor:
        """Per-example losses (B,)."""
        ...

    def score(self, run: Run) -> Tensor:
        """Score of each model (S,) float64 on the held-out training rows, in the metric's own units."""
        ...

    def seen_score(self, run: Run) -> Tensor:
        """The same score on rows that were learnt from, as many as are quick to answer."""
        ...

    def told(self) -> dict[str, Any]:
        """What the last ``score`` found beside it, for the log."""
        ...

    def held(self, run: Run) -> Held:
        """Outputs and targets of the held-out training rows."""
        ...

    def trained(self, run: Run) -> Sequence[Trained]:
        """What answers, of what was trained."""
        ...

    def chosen(self) -> dict[str, Any]:
        """How ``trained`` chose among several, for the record of the training; nothing where there was no choice."""
        ...


@dataclass
class Run:
    """The state of one training run.

    ``ended`` are those of several models side by side that would have stopped alone: after which step, and why.
    """

    recipe: Recipe
    model: nn.Module
    problem: Problem
    techniques: tuple[Technique, ...]
    steps: int
    device: torch.device
    draws: rng.Draws
    step: int = 0
    best: float | None = None
    stopped: str | None = None
    ended: dict[int, tuple[int, str]] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    unscored: float | None = None
    """Loss of the last step, while the validation that is due after it has not ended."""
    check: Callable[[], None] = lambda: None
    """For long work to call now and then: raises Interrupted after a signal."""
    made: dict[Hashable, Any] = field(default_factory=dict)

    def once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """Make something the first time it is asked for; never saved, so that it must come out the same again."""
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]

    @property
    def members(self) -> int:
        """How many models are trained side by side; tensors of theirs are stacked, (members, ...)."""
        return len(self.problem.seeds)

    @cached_property
    def parameters(self) -> list[nn.Parameter]:
        """What is trained; listed once, since the list does not change after ``begin``."""
        return [p for p in self.model.parameters() if p.requires_grad]

    @cached_property
    def numbers(self) -> dict[str, Tensor]:
        """Weights and running statistics by name: all that an average of the model is taken over."""
        return {k: v for k, v in self.model.state_dict(keep_vars=True).items() if v.is_floating_point()}

    def random(self, stream: str) -> torch.Generator:
        """A generator for this step that no other stream shares."""
        return rng.generator(self.recipe.seed, stream, self.step)

    def randoms(self, stream: str) -> list[torch.Generator]:
        """The same for each model that is trained side by side: what it would draw from alone."""
        return [rng.generator(seed, stream, self.step) for seed in self.problem.seeds]

    def alone(self, member: int) -> Run:
        """One of the models that are trained side by side in a run of its own, with its seed and what it has made."""
        every: Any = self.problem
        problem = every.problems[member]
        made = self.once(("alone", member), dict)
        recipe = self.once(("recipe", member), lambda: replace(self.recipe, seed=self.problem.seeds[member]))
        return replace(self, recipe=recipe, problem=problem, made=made)

    @property
    def going(self) -> Tensor:
        """Which models (S,) are still learning."""
        return torch.tensor([member not in self.ended for member in range(self.members)])

    @property
    def progress(self) -> float:
        """Share of the planned steps already taken, 0 to 1."""
        return self.step / self.steps

    @property
    def epoch(self) -> float:
        return self.step / self.problem.feed.steps_per_epoch

    def stop(self, reason: str, members: Sequence[int] | None = None) -> None:
        """Ask the loop to end after this validation, or once all ``members`` have ended of those side by side."""
        for member in range(self.members) if members is None else members:
            self.ended.setdefault(member, (self.step, reason))
        if len(self.ended) == self.members:
            self.stopped = self.stopped or reason
