"""Scores of agents as plain data, in the shape that those of predictions have: what scores.json holds."""

# S agents, N episodes

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from aurify.core.words import in_a_row, said
from aurify.measure.agents import DRAWS, Estimate, over_episodes
from aurify.measure.verdict import number

ENOUGH_AGENTS = 10
"""Below this what agents return is preliminary: how far they lie apart is hardly known."""

Score = dict[str, float | None]
"""``value`` with the ends ``low`` and ``high`` of its interval."""


@dataclass(frozen=True, eq=False)
class Returns:
    """What agents returned (S, N) by ``policy`` and how long it took them, and whoever played beside them.

    ``exact`` (S,) is what the surest actions of each return on average, and ``optimal`` the most that there is to
    return: both computed, where the model of the world is known. ``best`` is the agent that is shipped.
    """

    value: Mapping[str, np.ndarray]
    length: Mapping[str, np.ndarray]
    random: np.ndarray
    random_length: np.ndarray
    best: int
    exact: np.ndarray | None = None
    optimal: float | None = None

    @property
    def agents(self) -> int:
        return len(next(iter(self.value.values())))

    def summary(self, seed: int) -> dict[str, Any]:
        """Scores with intervals of resamples drawn by ``seed``, the baselines, the differences, the verdict."""
        found = self._scores(seed)
        random = {"return": _mean(self.random, seed), "length": _mean(self.random_length, seed)}
        beside: dict[str, dict[str, Any]] = {"random": random}
        differences = {"random": {"return": _judged(_mean(self.value["greedy"] - self.random, seed))}}
        if self.optimal is not None:
            known = [name for name in ("return", "return_exact") if name in found]
            beside["optimal"] = {name: {"value": self.optimal, "low": None, "high": None} for name in known}
            differences["optimal"] = {name: _judged(_less(found[name], self.optimal)) for name in known}
        return {
            "model": "agents",
            "scores": found,
            "members": {},
            "baselines": {name: {k: v["value"] for k, v in each.items()} for name, each in beside.items()},
            "baseline_scores": beside,
            "differences": differences,
            "greater_is_better": {k: True for k in found if not k.startswith("length")},
            "main_metric": "return",
            "verdict": self._verdict(found, differences),
            "agents": self.agents,
            "best_agent": self.best,
            "preliminary": self.agents < ENOUGH_AGENTS,
            "episodes": len(self.random),
            "draws": DRAWS,
            "intervals": said("cover agents of other seeds and other episodes")
            if self.agents > 1
            else said("cover other episodes of this one agent, not other agents"),
        }

    def _scores(self, seed: int) -> dict[str, Score]:
        greedy = _estimates(self.value["greedy"], seed)
        found = {"return": greedy["mean"]}
        if self.agents > 1:
            found |= {f"return_{name}": greedy[name] for name in ("iqm", "median")}
            found["return_best"] = _mean(self.value["greedy"][self.best], seed)
        if "sampled" in self.value:
            found["return_sampled"] = _mean(self.value["sampled"], seed)
        if self.exact is not None and np.isfinite(self.exact).all():
            found["return_exact"] = _mean(self.exact[:, None], seed)
            # a share of gains, or of costs: what is lost where much can be gained is none
            if self.optimal is not None and self.optimal * (found["return_exact"]["value"] or 0.0) > 0:
                found["share_of_optimal"] = _share(found["return_exact"], self.optimal)
        return {**found, "length": _mean(self.length["greedy"], seed)}

    def _verdict(self, found: Mapping[str, Any], differences: Mapping[str, Any]) -> str:
        score, told = found["return"], list[str]()
        told.append(
            said(
                "The agents return {value} on average{interval}, a random policy {random}.",
                value=number(score["value"]),
                interval=_interval(score),
                random=number(float(self.random.mean())),
            )
            if self.agents > 1
            else said(
                "The agent returns {value} on average{interval}, a random policy {random}.",
                value=number(score["value"]),
                interval=_interval(score),
                random=number(float(self.random.mean())),
            )
        )
        if differences["random"]["return"]["verdict"] != "better":
            told.append(said("That is not measurably better than acting at random."))
        told += self._beside_the_optimum(found)
        if self.agents == 1:
            told.append(said("One agent is preliminary: agents of other seeds may do otherwise."))
        elif self.agents < ENOUGH_AGENTS:
            told.append(
                said(
                    "With fewer than {enough} agents this is preliminary: intervals over so few are too narrow, and"
                    " agents of other seeds may do otherwise.",
                    enough=ENOUGH_AGENTS,
                )
            )
        return in_a_row(told)

    def _beside_the_optimum(self, found: Mapping[str, Any]) -> list[str]:
        """What is known of how near to the optimum the agents are; nothing where that is not known."""
        if self.optimal is None:
            return []
        optimal = number(self.optimal)
        if self._optimal(found):
            return [
                said(
                    "By the model of the world, the surest actions are optimal: {optimal} is the most that there is.",
                    optimal=optimal,
                )
            ]
        share = found.get("share_of_optimal", {}).get("value")
        if share is not None:
            return [
                said(
                    "By the model of the world, the surest actions reach {share:.1%} of the optimum {optimal}.",
                    share=share,
                    optimal=optimal,
                )
            ]
        if "return_exact" in found:
            return [
                said(
                    "By the model of the world, the surest actions return {value}, the optimum {optimal}.",
                    value=number(found["return_exact"]["value"]),
                    optimal=optimal,
                )
            ]
        return [said("The optimum is {optimal}.", optimal=optimal)]

    def _optimal(self, found: Mapping[str, Any]) -> bool:
        """Whether nothing can be gained on what the surest actions return on average."""
        exact = found.get("return_exact")
        return self.optimal is not None and exact is not None and math.isclose(exact["value"], self.optimal)


def _estimates(values: np.ndarray, seed: int) -> dict[str, Score]:
    """``mean``, ``iqm`` and ``median`` over agents of values (S, N) of episodes that all of them played."""
    return {name: _plain(found) for name, found in over_episodes(values, seed=seed).items()}


def _mean(values: np.ndarray, seed: int) -> Score:
    """The mean of values (S, N), or of one agent's (N,)."""
    return _estimates(np.atleast_2d(values), seed)["mean"]


def _plain(found: Estimate) -> Score:
    """As JSON knows it: what is undefined is null."""
    numbers = {name: float(getattr(found, name)) for name in ("value", "low", "high")}
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}


def _less(score: Mapping[str, Any], what: float) -> Score:
    """How far a score is above what is known exactly."""
    return {name: None if value is None else value - what for name, value in score.items()}


def _judged(apart: Mapping[str, Any]) -> dict[str, Any]:
    """A difference, and whether it is one."""
    low, high = (apart["value"] if apart[end] is None else apart[end] for end in ("low", "high"))
    verdict = "better" if low > 0 else "worse" if high < 0 else "no measurable difference"
    return {**apart, "verdict": verdict}


def _share(score: Mapping[str, Any], optimal: float) -> Score:
    """How much of the optimum a return is; where returns are costs, how much of them could not have been spared."""

    def of(value: float | None) -> float | None:
        if value is None or (optimal < 0 and not value):
            return None
        return optimal / value if optimal < 0 else value / optimal

    return {name: of(value) for name, value in score.items()}


def _interval(score: Mapping[str, Any]) -> str:
    if score["low"] is None:
        return ""
    return said(" (95% {low} to {high})", low=number(score["low"]), high=number(score["high"]))
