"""A world to act in as a problem to learn: agents side by side, what they see, how they are scored."""

# S agents, E environments of each, N observations, K outputs

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from aurify.blocks.actor_critic import ActorCritic
from aurify.blocks.stack import alone, stacked
from aurify.core import rng
from aurify.core.acting import Sees, those
from aurify.core.errors import Apart
from aurify.core.pixels import Pixels
from aurify.core.recipe import Recipe
from aurify.core.run import Build, Feed, Run, Trained
from aurify.core.types import Batch, Held, Layer, RowPlan, Signature
from aurify.data.prepare import raw_inputs
from aurify.data.splits import Parts
from aurify.objectives.policy import SCORE, Choices, Numbers, Policy
from aurify.worlds.episodes import SIDE_BY_SIDE, WATCHED, Episodes, play, seeds_of
from aurify.worlds.field import Singles
from aurify.worlds.seen import Seen
from aurify.worlds.world import World

RECENT = 20
"""Episodes of training, of each agent, whose mean return is shown beside the score."""


class ActingProblem:
    """Agents of one recipe and seeds of their own in a world, trained as one stacked model.

    Agent n is the one that a recipe with the seed ``recipe.seed + n`` and one agent would be.
    """

    greater_is_better = True
    score_name = SCORE

    def __init__(self, recipe: Recipe, world: World, parts: Parts, device: torch.device, method: Method, watched: int):
        self.recipe, self.world, self.device, self.method = recipe, world, device, method
        self.traits = recipe.task.traits
        self.seeds = tuple((recipe.seed + int(agent)) % 2**63 for agent in parts.fit)
        if len(self.seeds) > 1:
            _require_stacking(recipe)
        self.held_out, self.watched = seeds_of(recipe.seed, "validation", parts.held), watched
        self.policy: Policy = policy_of(world)
        self.plain = Seen.plain(len(world.schema.numbers))
        self.signature = Signature(self.plain.inputs(raw_inputs(world.schema)), recipe.task.outputs(world.schema))
        self.critic = method.critic
        self.plan = RowPlan(torch.arange(len(self.seeds)), torch.ones(len(self.seeds), dtype=torch.float64))
        self.rows, self.layers, self.answer_layers = torch.arange(len(self.seeds)), (self.plain,), ()
        self.recent = [deque[float](maxlen=RECENT) for _ in self.seeds]
        self.feed: Feed = method.feed(self)
        self._like: nn.Module | None = None
        self._stage: Singles | None = None  # of validations: some worlds take longer to make than to play in
        self._returns: list[float] = []
        self._length = 0.0
        self._chosen: dict[str, Any] = {}

    # what is trained

    def model(self, build: Build) -> nn.Module:
        every = [self._agent(build, replace(self.recipe, seed=seed)) for seed in self.seeds]
        self._like = every[0]
        return stacked(every)

    def _agent(self, build: Build, recipe: Recipe) -> nn.Module:
        actor, critic = build(recipe, self.signature), None
        if self.critic:
            other = replace(recipe, seed=rng.key(recipe.seed, "critic"))
            critic = build(other, replace(self.signature, outputs=1))
        numbers = 0 if self.world.actions.count is not None else self.signature.outputs
        return ActorCritic(actor, critic, numbers)

    def losses(self, output: Tensor, batch: Batch) -> Tensor:
        return self.method.losses(self, output, batch)

    # what it sees and does

    def inputs(self, observation: np.ndarray, run: Run, learn: np.ndarray | None = None) -> dict[str, Tensor]:
        """Observations (S * N, ...) as a network takes them in; techniques ``learn`` from some of them (S * N,)."""
        values = self.world.values(observation)
        if "numbers" in values and (eyes := those(run, Sees)):
            numbers = values["numbers"].unflatten(0, (len(self.seeds), -1))
            for technique in eyes:
                if learn is not None:
                    technique.look(numbers, torch.from_numpy(learn).view(numbers.shape[:2]), run)
                numbers = technique.seen(numbers)
            values["numbers"] = numbers.flatten(0, 1)
        seen = self.plain(values).items()
        return {name: (v.taken() if isinstance(v, Pixels) else v).to(self.device) for name, v in seen}

    @torch.no_grad()
    def outputs_for(self, observation: np.ndarray, run: Run) -> Tensor:
        """What the agents say of observations (S * N, ...), each of its own N: (S, N, W)."""
        output = run.model(self.inputs(observation, run)).float()
        return output.unflatten(0, (len(self.seeds), -1))

    def act(self, action: Tensor) -> np.ndarray:
        """Actions (S, N) or (S, N, A) as the world takes them, agent after agent."""
        return self.world.actions.to_world(action.flatten(0, 1).cpu().numpy())

    # how well

    def score(self, run: Run) -> Tensor:
        """The mean return (S,) of each agent in the first held-out episodes, each doing what it thinks best."""
        played = self._played(self.held_out[: self.watched], run)
        self._returns = played.value.reshape(len(self.seeds), -1).mean(1).tolist()
        self._length = float(played.length.mean())
        return torch.tensor(self._returns, dtype=torch.float64)

    def _played(self, begun: Sequence[int], run: Run) -> Episodes:
        """What every agent does in the episodes of these seeds, agent after agent."""
        seeds = [*begun] * len(self.seeds)
        every = np.zeros((len(seeds), *self.world.observed.shape), dtype=self.world.observed.dtype)

        def act(observation: np.ndarray, which: np.ndarray) -> np.ndarray:
            every[which] = observation
            return self.act(self.policy.surest(self.outputs_for(every, run)))[which]

        at_once = min(len(seeds), SIDE_BY_SIDE)
        if self._stage is None or len(self._stage.envs) < at_once:
            self._stage = Singles(self.world, at_once)
        return play(self.world, seeds, act, run.check, self._stage, WATCHED)

    def seen_score(self, run: Run) -> Tensor:
        """The mean return of the last episodes of training."""
        return torch.tensor([np.mean([value for recent in self.recent for value in recent] or [np.nan])])

    def remember(self, recent: Sequence[Sequence[float]]) -> None:
        """Go on from the returns of the last episodes that each agent had played."""
        self.recent = [deque(values, maxlen=RECENT) for values in recent]

    def told(self) -> dict[str, Any]:
        """``played`` are the steps of each agent in its world, ``recent`` what each returned in training of late."""
        feed: Any = self.feed
        recent = [float(np.mean(values)) if values else None for values in self.recent]
        told = {"returns": self._returns, "recent": recent, "length": self._length, "played": feed.played}
        return {**told, **self.method.told(self)}

    def held(self, run: Run) -> Held:
        """What the agents say of where they are."""
        shown = self.world.observed
        output = self.outputs_for(np.zeros((len(self.seeds), *shown.shape), dtype=shown.dtype), run).flatten(0, 1)
        zeros = torch.zeros(len(output))
        return Held(output, zeros, torch.arange(len(output)), zeros + 1)

    def trained(self, run: Run) -> list[Trained]:
        """Every agent, the one that returns most in all held-out episodes with all of the weight."""
        every = self.each(run)
        if len(every) == 1:
            return every
        returns = self._played(self.held_out, run).value.reshape(len(every), -1)
        best = int(returns.mean(1).argmax())
        self._chosen = {"best": best, "means": returns.mean(1).tolist(), "returns": returns[best].tolist()}
        return [replace(one, weight=float(at == best)) for at, one in enumerate(every)]

    def each(self, run: Run) -> list[Trained]:
        """Every agent as one that answers by itself, chosen by nothing."""
        return [
            Trained(self._actor(run.model, at), (self._layer(run, at),), name=f"agent {seed}")
            for at, seed in enumerate(self.seeds)
        ]

    def chosen(self) -> dict[str, Any]:
        """What every agent returned on average in the episodes that it was chosen by, and each return of the best."""
        return {"chosen": self._chosen} if self._chosen else {}

    def _actor(self, model: nn.Module, agent: int) -> nn.Module:
        assert self._like is not None
        whole: Any = model if len(self.seeds) == 1 else alone(model, self._like, agent)
        return whole.actor.eval()

    def _layer(self, run: Run, agent: int) -> Layer:
        layer: Layer = self.plain
        for technique in those(run, Sees):
            layer = technique.seeing(agent) or layer
        return layer if self.world.actions.count is not None else self._trying(layer, run.model, agent)

    def _trying(self, layer: Layer, model: Any, agent: int) -> Layer:
        """The layer with how far the agent tries to each side of its numbers."""
        log = model.spread.log.detach().cpu()
        spread = (log if len(self.seeds) == 1 else log[agent]).exp()
        return type(layer)(**{**layer.config, **layer.tensors(), "spread": spread})


def _require_stacking(recipe: Recipe) -> None:
    for part in (recipe.optimizer, *recipe.techniques):
        if not part.stacks:
            raise Apart(f"{part.name()} does not train several agents side by side")


class Method:
    """How agents gather experience and what they learn from it.

    With a ``critic`` a second network estimates what will be returned.
    """

    critic: bool = False

    def feed(self, problem: ActingProblem) -> Feed:
        raise NotImplementedError

    def losses(self, problem: ActingProblem, output: Tensor, batch: Batch) -> Tensor:
        raise NotImplementedError

    def told(self, problem: ActingProblem) -> dict[str, Any]:
        return {}


def policy_of(world: World) -> Policy:
    """How a world's actions come out of a network's outputs."""
    count = world.actions.count
    return Choices(count) if count is not None else Numbers(int(np.prod(world.actions.shape, dtype=int)))


def per_agent(problem: ActingProblem, make: Callable[[int], Tensor]) -> Tensor:
    """What is drawn with each agent's own seed, (S, ...)."""
    return torch.stack([make(seed) for seed in problem.seeds])
