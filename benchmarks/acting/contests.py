"""Worlds with what is to be reached in them, and whoever tries."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium

from benchmarks.acting.contestants import episodes_of, ours, sb3
from benchmarks.acting.policies import exact_returns


@dataclass(frozen=True)
class Contest:
    """A world, how its agents learn, and the mean return that each agent or their interquartile mean should reach."""

    world: str
    words: tuple[str, ...]
    steps: int
    seeds: int
    wanted: float
    targets: dict[str, float]


LANDING = (
    "task.gamma=0.999",
    "task.trace=0.98",
    "task.envs=16",
    "task.horizon=1024",
    "task.passes=4",
    "budget.batch_size=64",
    "budget.validate_every=3072",  # every third of 61 rounds
    "optimizer.learning_rate=3e-4",
)
"""What rl-zoo sets for LunarLander (rl-baselines3-zoo, ``hyperparams/ppo.yml``) and how often is validated."""


def _set(*settings: str) -> tuple[str, ...]:
    return tuple(word for setting in settings for word in ("--set", setting))


PLAYED = {
    "ppo": Contest("CartPole-v1", ("--method", "ppo"), 100_000, 10, 475.0, {"reached": 10, "cpu_seconds_a_seed": 8.0}),
    "acrobot": Contest("Acrobot-v1", ("--method", "ppo"), 500_000, 10, -85.0, {"iqm": -85.0}),
    "lunar": Contest("LunarLander-v3", ("--method", "ppo", *_set(*LANDING)), 1_000_000, 10, 200.0, {"iqm": 200.0}),
}
"""Worlds whose best return nobody knows; a deep agent learns in them."""


def played(
    mode: str, seeds: int | None, steps: int | None, python: Path | None, python_seeds: int, folder: Path
) -> dict[str, Any]:
    """What ours and Stable-Baselines3's agents reach on the same test episodes, and what a seed of each costs."""
    contest = PLAYED[mode]
    try:
        gymnasium.make(contest.world).close()
    except gymnasium.error.DependencyNotInstalled as error:
        return {"world": contest.world, "skipped": str(error)}
    steps = steps or contest.steps
    words = [*contest.words, "--steps", str(steps)]
    mine, summary = ours(contest.world, words, seeds or contest.seeds, folder / "ours")
    told = {
        "world": contest.world,
        "steps": steps,
        "wanted": contest.wanted,
        "ours": mine.told(contest.wanted),
        "scores": summary["scores"],
        "sb3": None,
        "targets": contest.targets,
    }
    if python is None:
        return told
    peer = sb3(python, contest.world, steps, python_seeds, episodes_of(folder / "ours" / "run"), folder)
    ratio = round(peer.cpu_seconds_a_seed / mine.cpu_seconds_a_seed, 2)
    return {**told, "sb3": peer.told(contest.wanted), "sb3_cpu_over_ours": ratio}


SOLVED = {
    "grid": Contest("aurify/GridWorld-v0", ("--method", "q_learning"), 100_000, 20, 0.99, {"reached": 20}),
    "cliff": Contest("CliffWalking-v1", ("--method", "q_learning"), 100_000, 20, 1.0, {"reached": 20}),
    "frozen": Contest(
        "FrozenLake8x8-v1",
        ("--method", "q_learning"),
        2_000_000,
        20,
        0.89 / 0.9132,
        {"reached": 20},
    ),
    "taxi": Contest("Taxi-v4", ("--method", "q_learning"), 300_000, 20, 0.99, {}),
}
"""Worlds whose best return is known; ``wanted`` is a share of it, and a table of values is learnt."""


def solved(mode: str, seeds: int | None, steps: int | None, folder: Path) -> dict[str, Any]:
    """What each agent's policy returns on average, computed from the model of the world, beside the exact optimum."""
    contest = SOLVED[mode]
    steps = steps or contest.steps
    mine, summary = ours(contest.world, [*contest.words, "--steps", str(steps)], seeds or contest.seeds, folder)
    optimum, exact = exact_returns(folder / "run")
    shares = [share_of(each, optimum) for each in exact]
    told = replace(mine, returns=exact).told(optimum)
    reached = sum(each >= contest.wanted - 1e-9 for each in shares)
    return {
        "world": contest.world,
        "steps": steps,
        "optimum": round(optimum, 4),
        "ours": {**told, "reached": reached, "played": mine.returns},
        "least_share": round(min(shares), 4),
        "scores": summary["scores"],
        "wanted_share": round(contest.wanted, 4),
        "targets": contest.targets,
    }


def share_of(value: float, optimum: float) -> float:
    """How much of the best a return is; where returns are costs, how much of them could not have been spared."""
    return optimum / value if optimum < 0 else value / optimum
