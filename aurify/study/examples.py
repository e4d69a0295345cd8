"""What a study learns from, rows of a Store or a World, and how what was trained is scored there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from aurify.core.errors import AurifyError
from aurify.core.files import write_with
from aurify.core.recipe import Recipe
from aurify.data.prepare import weights
from aurify.data.splits import Parts
from aurify.data.store import Asked, Store
from aurify.measure.constant import constant_answer
from aurify.measure.intervals import row_weights
from aurify.measure.judges import RETURNS
from aurify.measure.metrics import evaluator, metrics_for
from aurify.measure.predictions import Predictions
from aurify.ship.acting import GREEDY, SAMPLED, acting, answered, draws
from aurify.ship.bundle import Bundle
from aurify.worlds.chance import at_random
from aurify.worlds.episodes import Act, play, seeds_of
from aurify.worlds.world import FILE, World

STREAM = "ledger"
"""Of episodes that score in a study: none of those that a fit validates, tests or plays by."""

TIMED = 1000
"""Observations whose answers are timed."""

Curve = Sequence[Sequence[float | None]]
"""How far training had come, the held-out score there and the score on what was learnt from."""


@dataclass(frozen=True)
class Scored:
    """Scores by metric, None where undefined, seconds per 1,000 answers, and how to keep the answers in a file."""

    scores: dict[str, float | None]
    latency: float | None
    write: Callable[[Path], None]


class Examples(Protocol):
    """What a training is scored on; ``along`` is what says in the log of a training how far it has come."""

    @property
    def along(self) -> str: ...

    def scored(self, bundle: Bundle, curve: Curve) -> Scored: ...

    def without(self) -> Scored:
        """What is left to somebody whose model does not train."""
        ...


def opened(folder: Path) -> Store | World:
    """What lies in the folder of a run; raises AurifyError where it is damaged."""
    return World.open(folder) if (folder / FILE).exists() else Store.open(folder)


def examples(store: Store | World, parts: Parts, recipe: Recipe, check: Callable[[], None]) -> Examples:
    """What is tested in a cell."""
    return InWorld(store, parts, recipe, check) if isinstance(store, World) else OfRows(store, parts, recipe)


@dataclass(frozen=True)
class OfRows:
    """Rows ``parts.test`` of a Store."""

    store: Store
    parts: Parts
    recipe: Recipe
    along: str = "epoch"

    def scored(self, bundle: Bundle, curve: Curve) -> Scored:
        began = now(bundle.device)
        store, rows = self.store, self.parts.test
        predictions = bundle.predictions(Asked(store.inputs, store.target, rows, store.roles))
        seconds = now(bundle.device) - began
        return Scored(scores(predictions), 1000 * seconds / len(rows), predictions.write)

    def without(self) -> Scored:
        """The mean, or the class shares."""
        predictions = constant(self.store, self.parts, self.recipe.seed)
        return Scored(scores(predictions), None, predictions.write)


@dataclass(frozen=True)
class InWorld:
    """Episodes of a world, whose seeds hang on the recipe's seed alone: both sides of a pair play the same ones."""

    world: World
    parts: Parts
    recipe: Recipe
    check: Callable[[], None]
    along: str = "played"

    def scored(self, bundle: Bundle, curve: Curve) -> Scored:
        """The mean over the agents; what is kept is what each of them returns in each episode."""
        agents = bundle.members
        policies = {"return": GREEDY} | ({"return_sampled": SAMPLED} if draws(bundle, agents[0], self.world) else {})
        each = {
            name: np.stack([self._returned(acting(bundle, agent, self.world, policy, self.seeds)) for agent in agents])
            for name, policy in policies.items()
        }
        seen = np.zeros((TIMED, *self.world.observed.shape), dtype=self.world.observed.dtype)
        began = now(bundle.device)
        answered(bundle, agents[0], self.world, seen)
        seconds = now(bundle.device) - began
        held = [point[1] for point in curve if point[1] is not None]
        learning = {"return_learning": float(np.mean(held))} if held else {}
        means = {name: _finite(float(values.mean())) for name, values in each.items()}
        return Scored(means | learning, 1000 * seconds / TIMED, partial(_keep, each))

    def without(self) -> Scored:
        """Acting at random."""
        value = self._returned(at_random(self.world, self.seeds))
        every = np.tile(value, (len(self.parts.fit), 1))
        each: dict[str, np.ndarray] = dict.fromkeys(RETURNS, every)
        return Scored(dict.fromkeys(RETURNS, _finite(float(value.mean()))), None, partial(_keep, each))

    @property
    def seeds(self) -> list[int]:
        return seeds_of(self.recipe.seed, STREAM, self.parts.test)

    def _returned(self, act: Act) -> np.ndarray:
        return play(self.world, self.seeds, act, self.check).value


def _keep(each: Mapping[str, np.ndarray], path: Path) -> None:
    """Write what agents return (S, N), a row for each episode of each."""
    import polars as pl

    agents, episodes = next(iter(each.values())).shape
    columns = {"agent": np.repeat(np.arange(agents), episodes), "episode": np.tile(np.arange(episodes), agents)}
    frame = pl.DataFrame(columns | {name: values.flatten() for name, values in each.items()})
    write_with(path, lambda file: frame.write_parquet(file))


def kept_returns(path: Path, metric: str) -> np.ndarray:
    """What agents returned (S, N), as it was kept. Raises AurifyError where the file is damaged."""
    import polars as pl

    try:
        frame = pl.read_parquet(path)
        return frame[metric].to_numpy().reshape(frame["agent"].n_unique(), -1)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise AurifyError(f"{path} is damaged ({error}); start again with --force") from None


def now(device: torch.device) -> float:
    """Seconds of this process, which other work beside it does not lengthen; of the clock where a device works."""
    if device.type == "cpu":
        return time.process_time()
    torch.cuda.synchronize(device)
    return time.monotonic()


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def scores(predictions: Predictions) -> dict[str, float | None]:
    """Every metric on all rows; None where it is undefined."""
    metrics = metrics_for(predictions)
    values = evaluator(metrics, predictions)(row_weights(predictions)[None])[:, 0]
    return {m.name: float(v) if np.isfinite(v) else None for m, v in zip(metrics, values, strict=True)}


def constant(store: Store, parts: Parts, seed: int) -> Predictions:
    """The mean, or the class shares, of the rows learnt from, for every tested row."""
    learnt, classes = np.concatenate([parts.fit, parts.held]), store.schema.classes
    weight, count = weights(store.roles, learnt), None if classes is None else len(classes)
    return Predictions.of_answer(
        constant_answer(store.target[learnt], weight, count, len(parts.test)),
        row=parts.test,
        target=np.array(store.target[parts.test]),
        classes=classes,
        several=store.schema.labels is not None,
        seed=seed,
        weight=weights(store.roles, parts.test) if "weight" in store.roles else None,
    )
