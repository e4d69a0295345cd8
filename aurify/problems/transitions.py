"""Values of actions, learnt from one step at a time (Watkins 1989; Rummery & Niranjan 1994)."""

# S agents, E environments of each, K actions

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from aurify.core import rng
from aurify.core.acting import Acts, Rewards, Targets, those
from aurify.core.run import Run
from aurify.core.types import Batch
from aurify.problems.acting import ActingProblem, Method, per_agent
from aurify.worlds.field import Field

BLOCK = 256
"""Steps for which luck is drawn at once."""

EPOCH = 100
"""Updates."""


@dataclass(frozen=True, kw_only=True)
class TemporalDifference(Method):
    """Learn what actions are worth from the reward and from what the next one is said to be worth.

    That is the best one that could be done next (Q-learning) or, ``as_done``, the one that is (SARSA). Every step of
    ``envs`` environments is a lesson of its own, as it is with tables: the rate is that of one step.
    """

    envs: int
    gamma: float
    as_done: bool = False

    def feed(self, problem: ActingProblem) -> Transitions:
        return Transitions(problem, self)

    def losses(self, problem: ActingProblem, output: Tensor, batch: Batch) -> Tensor:
        said = output.gather(1, batch.extra["action"][:, None])[:, 0]
        return 0.5 * self.envs * (said - batch.target).square()

    def told(self, problem: ActingProblem) -> dict[str, Any]:
        feed: Any = problem.feed
        return {} if feed.level is None else {"epsilon": feed.level}


class Transitions:
    """Batches of what the agents did in one step: each is acted, learnt from and forgotten."""

    steps_per_epoch = EPOCH

    def __init__(self, problem: ActingProblem, method: TemporalDifference):
        self.problem, self.method = problem, method
        environments = [rng.key(seed, f"world/{env}") for seed in problem.seeds for env in range(method.envs)]
        self.field = Field(problem.world, environments)
        self.at, self.level = 0, None
        self._next: Tensor | None = None  # what is done next, where that is decided already
        self._block, self._luck = -1, torch.empty(0)

    @property
    def played(self) -> int:
        """Steps of each agent."""
        return self.at * self.method.envs

    def state(self) -> dict[str, Any]:
        recent = [list(values) for values in self.problem.recent]
        return {"at": self.at, "next": self._next, "field": self.field.state(), "recent": recent}

    def mark(self) -> None:
        """What was done in the world is not undone."""

    def restore(self, state: Mapping[str, Any]) -> None:
        self.at, self._next = state["at"], state["next"]
        self.field.restore(state["field"])
        self.problem.remember(state["recent"])

    def next(self, run: Run) -> Batch:
        run.model.eval()  # nothing is dropped while acting
        batch = self._step(run)
        run.model.train()
        return batch

    @torch.no_grad()
    def _step(self, run: Run) -> Batch:
        problem, method, agents = self.problem, self.method, len(self.problem.seeds)
        every = np.ones(len(self.field.seeds), dtype=bool)
        inputs = problem.inputs(self.field.observation, run, every)
        if self._next is None:
            output = run.model(inputs).float().unflatten(0, (agents, -1))
            action = self._chosen(output, 0, run)
        else:
            action = self._next
        step = self.field.step(problem.act(action))
        ended, terminated = (torch.from_numpy(v).view(agents, -1) for v in (step.ended, step.terminated))
        reward = torch.from_numpy(step.reward).view(agents, -1)
        for technique in those(run, Rewards):
            reward = technique.rewarded(reward, ended, torch.ones_like(ended), run)
        after = problem.outputs_for(step.after, run)
        done_next = self._chosen(after, 1, run) if method.as_done else problem.policy.surest(after)
        target = self._target(reward.float(), after, done_next, terminated, run)
        if method.as_done:  # episodes that ended go on elsewhere
            begun = problem.outputs_for(self.field.observation, run)
            self._next = torch.where(ended, self._chosen(begun, 1, run), done_next)
        self.at += 1
        for each in self.field.take_finished():
            problem.recent[each.environment // method.envs].append(each.value)
        rows = torch.arange(target.numel()) + self.at * target.numel()
        return Batch(inputs, target.flatten(), rows, extra={"action": action.flatten()})

    def _target(self, reward: Tensor, after: Tensor, chosen: Tensor, terminated: Tensor, run: Run) -> Tensor:
        for technique in those(run, Targets):
            return technique.td_target(reward, after, chosen, terminated, run)
        worth = after.gather(-1, chosen[..., None])[..., 0]
        return reward + self.method.gamma * worth * ~terminated

    def _chosen(self, output: Tensor, ahead: int, run: Run) -> Tensor:
        """What is done about outputs (S, E, K), in the step that comes ``ahead`` of this one."""
        chosen = self.problem.policy.surest(output)
        for technique in those(run, Acts):
            self.level = technique.level(run)
            chosen = technique.chosen(output, chosen, self._draws(self.at + ahead), run)
        return chosen

    def _draws(self, at: int) -> Tensor:
        """Luck of one step (S, E, 2), between 0 and 1; the same whenever it is asked for."""
        block, within = divmod(at, BLOCK)
        if self._block != block:
            shape = (BLOCK, self.method.envs, 2)
            self._luck = per_agent(
                self.problem, lambda seed: torch.rand(shape, generator=rng.generator(seed, "explore", block))
            )
            self._block = block
        return self._luck[:, within]
