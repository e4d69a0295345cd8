"""Agents of one recipe that cannot learn side by side, put together again: one Bundle, one log, one record."""

# S agents, N episodes

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from aurify.core.files import write_bytes
from aurify.core.folder import RunFolder
from aurify.core.recipe import Recipe
from aurify.data.splits import Parts
from aurify.ship.acting import GREEDY, acting
from aurify.ship.bundle import Bundle
from aurify.worlds.episodes import play, seeds_of
from aurify.worlds.world import World


def recipe_of(recipe: Recipe, agent: int) -> Recipe:
    """The recipe of one of its agents: what that one learns by beside others, it learns by alone."""
    return replace(recipe, seed=(recipe.seed + agent) % 2**63, task=recipe.task.alone())


def together(
    recipe: Recipe, world: World, parts: Parts, bundles: Sequence[Bundle], check: Callable[[], None]
) -> Bundle:
    """One Bundle of agents (S,) that each have their own, the best one of the same held-out episodes with all weight.

    While it learnt each one was validated in episodes of its own seed, and luck is not to choose among them.
    """
    seeds = seeds_of(recipe.seed, "validation", parts.held)
    agents = [bundle.members[0] for bundle in bundles]
    returns = [
        play(world, seeds, acting(bundle, agent, world, GREEDY, seeds), check).value.mean()
        for bundle, agent in zip(bundles, agents, strict=True)
    ]
    best = int(np.argmax(returns))
    members = tuple(replace(agent, weight=float(at == best)) for at, agent in enumerate(agents))
    return Bundle(recipe, world.schema, members, bundles[0].device)


def write_log(folder: RunFolder, logs: Sequence[Sequence[Mapping[str, Any]]]) -> None:
    """Keep the validations of all agents (S,) as if they had learnt side by side; who ended before stays as it was."""
    longest = max(logs, key=len)
    every = [[log[min(at, len(log) - 1)] for log in logs] for at in range(len(longest))]
    lines = [{**longest[at], **_merged(entries)} for at, entries in enumerate(every)]
    write_bytes(folder.progress, "".join(json.dumps(line) + "\n" for line in lines).encode())


def _merged(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One validation of each agent (S,) as one of all of them."""
    found: dict[str, Any] = {name: [e[name][0] for e in entries] for name in ("returns", "recent")}
    for name in ("loss", "return", "train_return", "length"):
        known = [entry[name] for entry in entries if entry[name] is not None]
        found[name] = float(np.mean(known)) if known else None
    return {**found, "seconds": max(entry["seconds"] for entry in entries)}
