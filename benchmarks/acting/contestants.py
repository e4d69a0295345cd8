"""Whoever learns to act: aurify, many seeds in one program, and Stable-Baselines3, a process a seed."""

from __future__ import annotations

import json
import statistics
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from scipy.stats import trim_mean

from aurify.worlds.field import episode_seed
from benchmarks.acting.processes import Ended, one_thread, one_thread_elsewhere, process

COMMAND = str(Path(sysconfig.get_path("scripts")) / "aurify")


@dataclass(frozen=True)
class Agents:
    """What agents of several seeds reached and used: the mean ``returns`` of each over the same test episodes."""

    returns: list[float]
    ended: list[Ended]
    training_seconds: list[float]
    more: dict[str, Any]

    def told(self, wanted: float) -> dict[str, Any]:
        """As JSON: who reached what was wanted, the interquartile mean, and what a seed cost, start to report."""
        count = len(self.returns)
        return {
            "seeds": count,
            "reached": sum(each >= wanted for each in self.returns),
            "iqm": round(float(trim_mean(self.returns, 0.25)), 3),
            "mean": round(statistics.fmean(self.returns), 3),
            "returns": [round(each, 2) for each in self.returns],
            "cpu_seconds_a_seed": round(self.cpu_seconds_a_seed, 2),
            "training_seconds_a_seed": round(sum(self.training_seconds) / count, 2),
            "seconds": round(sum(each.seconds for each in self.ended), 1),
            "peak_mb": round(max(each.peak_bytes for each in self.ended) / 2**20),
            **self.more,
        }

    @property
    def cpu_seconds_a_seed(self) -> float:
        return sum(each.cpu_seconds for each in self.ended) / len(self.returns)


def ours(world: str, words: Sequence[str], seeds: int, folder: Path) -> tuple[Agents, dict[str, Any]]:
    """``aurify fit`` as a process of its own; also the summary that it prints."""
    out = folder / "run"
    command = [COMMAND, "fit", world, "--seeds", str(seeds), *words, "--json", "--out", str(out)]
    ended = process(command, folder, one_thread())
    summary = json.loads(ended.printed)
    trained = json.loads((out / "training.json").read_text())["seconds"]
    return Agents(returns_of(out), [ended], [trained], {}), summary


def returns_of(run: Path, policy: str = "greedy") -> list[float]:
    """Mean return of each agent over the test episodes."""
    played = pl.read_parquet(run / "episodes.parquet").filter(pl.col("policy") == policy)
    return played.group_by("agent").agg(pl.col("return").mean()).sort("agent")["return"].to_list()


def episodes_of(run: Path) -> list[int]:
    """What Gymnasium's environments are reset with for the test episodes."""
    played = pl.read_parquet(run / "episodes.parquet").filter(pl.col("agent") == 0)
    return [episode_seed(seed, 0) for seed in played["seed"].unique(maintain_order=True).to_list()]


def sb3(python: Path, world: str, steps: int, seeds: int, episodes: Sequence[int], folder: Path) -> Agents:
    """PPO of Stable-Baselines3 with the settings of rl-zoo, one seed after another."""
    program = str(Path(__file__).with_name("sb3_fit.py"))
    found, ended = [], []
    for seed in range(seeds):
        place = folder / f"sb3_{seed}"
        place.mkdir(parents=True)
        order = {"world": world, "steps": steps, "seed": seed, "episodes": list(episodes)}
        (place / "order.json").write_text(json.dumps(order))
        ended.append(process([str(python), program, str(place)], place, one_thread_elsewhere()))
        found.append(json.loads((place / "found.json").read_text()))
    returns = [statistics.fmean(each["returns"]) for each in found]
    trained = [each["training"]["seconds"] for each in found]
    return Agents(returns, ended, trained, {"version": found[0]["version"]})
