"""Experience of a policy, gathered by acting on it and learnt from before it is gathered anew."""

# S agents, E environments of each, T steps, N = T * E of one agent's, B of them in a batch

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from aurify.core import rng
from aurify.core.acting import Rewards, those
from aurify.core.run import Run
from aurify.core.types import Batch
from aurify.core.words import said
from aurify.objectives.policy import advantages, surrogate
from aurify.problems.acting import ActingProblem, Method, per_agent
from aurify.worlds import episodes
from aurify.worlds.field import Field


@dataclass(frozen=True, kw_only=True)
class PolicyGradient(Method):
    """Learn a policy from what acting on it returned, and beside it a critic where there is one.

    ``whole`` plays each environment's next episode to its end (REINFORCE: Williams 1992), else every environment does
    ``horizon`` steps (A2C: Mnih et al. 2016); what was gathered is learnt from ``passes`` times (PPO: Schulman et al.
    2017). ``steps`` are those of the world that an agent may take in all.
    """

    envs: int
    horizon: int
    passes: int
    gamma: float
    trace: float
    value_weight: float
    steps: int
    whole: bool = False
    critic: bool = True

    def feed(self, problem: ActingProblem) -> Rollouts:
        return Rollouts(problem, self)

    def losses(self, problem: ActingProblem, output: Tensor, batch: Batch) -> Tensor:
        extra = batch.extra
        losses = surrogate(problem.policy, output, extra["action"], extra["before"], extra["advantage"])
        if not problem.critic:
            return losses
        return losses + self.value_weight * (output[:, problem.policy.width] - batch.target).square()


class Rollouts:
    """Batches of what the agents have just done, in an order that each one's seed decides.

    An epoch is what is gathered at once. Nothing of the feed's state changes in place: it may be kept as it is.
    """

    def __init__(self, problem: ActingProblem, method: PolicyGradient):
        self.problem, self.method = problem, method
        environments = [rng.key(seed, f"world/{env}") for seed in problem.seeds for env in range(method.envs)]
        self.field = Field(problem.world, environments)
        gathered = method.horizon * method.envs
        self.batch_size = gathered if method.whole else min(gathered, problem.recipe.budget.batch_size)
        self.steps_per_epoch = method.passes * -(-gathered // self.batch_size)
        self.at, self.played = 0, 0
        self._gathered: dict[str, Tensor] = {}
        self._order, self._ordered = torch.empty(0), (-1, -1)
        self._place = self._where()

    def next(self, run: Run) -> Batch:
        rollout, at = divmod(self.at, self.steps_per_epoch)
        if at == 0:
            run.model.eval()  # nothing is dropped while acting
            self._gather(run, rollout)
            run.model.train()
        batch = self._batch(rollout, at)
        self.at += 1
        return batch

    def state(self) -> dict[str, Any]:
        return {"at": self.at, "played": self.played, "gathered": self._gathered, "place": self._place}

    def _where(self) -> dict[str, Any]:
        """Where the environments are, which move only while experience is gathered."""
        return {"field": self.field.state(), "recent": [list(values) for values in self.problem.recent]}

    def mark(self) -> dict[str, Any]:
        return self.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        self.at, self.played, self._place = state["at"], state["played"], state["place"]
        self._gathered = {name: v.to(self.problem.device) for name, v in state["gathered"].items()}
        self.field.restore(self._place["field"])
        self.problem.remember(self._place["recent"])

    def _batch(self, rollout: int, at: int) -> Batch:
        values = self._gathered
        count, agents = values["advantage"].shape[1], len(self.problem.seeds)
        batches = self.steps_per_epoch // self.method.passes
        turn, at = divmod(at, batches)
        if batches > 1:
            order = self._order_of(rollout, turn, count)
            index = order[:, at * self.batch_size : (at + 1) * self.batch_size]
            values = {name: _taken(v, index) for name, v in values.items()}
        flat = {name: v.flatten(0, 1) for name, v in values.items()}
        inputs = {name.removeprefix("in/"): v for name, v in flat.items() if name.startswith("in/")}
        rows = torch.arange(len(flat["advantage"])) + self.played * agents
        extra = {name: flat[name] for name in ("action", "before", "advantage")}
        return Batch(inputs, flat["target"], rows, flat.get("weight"), extra=extra)

    def _order_of(self, rollout: int, turn: int, count: int) -> Tensor:
        """In which order each agent goes through what it gathered, (S, N); drawn once for all batches of a turn."""
        if self._ordered != (rollout, turn):
            stream = f"minibatches/{turn}"
            order = per_agent(
                self.problem, lambda seed: torch.randperm(count, generator=rng.generator(seed, stream, rollout))
            )
            self._order, self._ordered = order.to(self.problem.device), (rollout, turn)
        return self._order

    @torch.no_grad()
    def _gather(self, run: Run, rollout: int) -> None:
        """Act, and keep what came of it: tensors (S, N, ...)."""
        problem, method, steps = self.problem, self.method, list[dict[str, Any]]()
        if method.whole:
            self.field.begin_anew(rollout)
        going = np.ones(len(self.field.seeds), dtype=bool)
        most = (problem.world.limit or episodes.ENDLESS) if method.whole else method.horizon
        while going.any() and len(steps) < most:
            steps.append(self._step(run, rollout, len(steps), going))
            if method.whole:
                going = going & ~steps[-1]["ended"].flatten().numpy()
        beside = {name: torch.stack([step[name] for step in steps]) for name in steps[0] if name != "after"}
        value = beside.pop("value")
        after = torch.cat([value[1:], value[-1:]])
        for t, step in enumerate(steps):
            if problem.critic and (t == len(steps) - 1 or bool((step["ended"] & ~step["terminated"]).any())):
                led_to = problem.outputs_for(step["after"], run)[..., -1].cpu()
                after[t] = led_to if t == len(steps) - 1 else torch.where(step["ended"], led_to, after[t])
        ended, terminated = beside.pop("ended"), beside.pop("terminated")
        found = advantages(
            beside.pop("reward"), value, after, ended, terminated, gamma=method.gamma, trace=method.trace
        )
        played = beside.pop("going")
        beside |= {"advantage": found, "target": found + value}
        if method.whole:
            share = played.double().mean((0, 2), keepdim=True)
            beside["weight"] = (played / share).float()
        # (T, S, E, ...) to (S, T * E, ...)
        self._gathered = {
            name: v.transpose(0, 1).flatten(1, 2).float().to(problem.device)
            if v.is_floating_point()
            else v.transpose(0, 1).flatten(1, 2).to(problem.device)
            for name, v in beside.items()
        }
        self.played += int(played.sum()) // len(problem.seeds)
        first = [each for each in self.field.take_finished() if not method.whole or each.episode == rollout]
        for each in first:
            problem.recent[each.environment // method.envs].append(each.value)
        self._place = self._where()
        if self.played >= method.steps and method.whole:
            run.stop(said("each agent has done its {steps} steps", steps=f"{method.steps:,}"))

    def _step(self, run: Run, rollout: int, t: int, going: np.ndarray) -> dict[str, Any]:
        """One step in every environment: (S, E, ...) of each value."""
        problem = self.problem
        agents = len(problem.seeds)
        inputs = problem.inputs(self.field.observation, run, going)
        output = run.model(inputs).float().unflatten(0, (agents, -1))
        action = problem.policy.drawn(output, self._noise(rollout, t))
        step = self.field.step(problem.act(action))
        kept = {name: v.unflatten(0, (agents, -1)) for name, v in inputs.items()}
        ended, terminated = (torch.from_numpy(v).view(agents, -1) for v in (step.ended, step.terminated))
        reward, counts = (torch.from_numpy(v).view(agents, -1) for v in (step.reward, going))
        for technique in those(run, Rewards):
            reward = technique.rewarded(reward, ended, counts, run)
        before = problem.policy.log_probability(output.flatten(0, 1), action.flatten(0, 1)).view(agents, -1)
        return {
            **{f"in/{name}": v for name, v in kept.items()},
            "action": action,
            "before": before,
            "value": output[..., -1].cpu().double() if problem.critic else torch.zeros_like(reward),
            "reward": reward,
            "ended": ended,
            "terminated": terminated,
            "after": step.after,
            "going": counts,
        }

    def _noise(self, rollout: int, t: int) -> Tensor:
        """What draws the actions of a step (S, E, ...); drawn for many steps at once."""
        policy, block = self.problem.policy, self.method.horizon
        at, within = divmod(t, block)
        if within == 0:
            shape = (block, self.method.envs)
            self._drawn = per_agent(
                self.problem, lambda seed: policy.noise(shape, rng.generator(seed, f"act/{at}", rollout))
            )
        return self._drawn[:, within]


def _taken(values: Tensor, index: Tensor) -> Tensor:
    """Of (S, N, ...) each agent's own rows of ``index`` (S, B)."""
    return values[torch.arange(len(values), device=values.device)[:, None], index]
