"""Worlds as the verbs deal with them: a World in the Store's place, agents that play in that of predicted rows."""

# S agents, N episodes

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from aurify.catalog import Catalog
from aurify.core.errors import AurifyError, listing
from aurify.core.files import write_with
from aurify.core.folder import RunFolder
from aurify.core.pixels import Pixels
from aurify.core.recipe import Recipe, Source
from aurify.data.findings import Findings, noted
from aurify.data.splits import Parts
from aurify.report.section import Played
from aurify.ship.acting import GREEDY, RANDOM, SAMPLED, acting, answered, draws, valued
from aurify.ship.bundle import Bundle
from aurify.study.cells import Cells
from aurify.study.seeds import SEEDS, TRIAL_AGENTS, Steps, agents
from aurify.study.seeds import seeds as seeds_to_study
from aurify.study.tune import Tuner, metric_of
from aurify.study.tune_agents import OF_EACH, AgentTuner
from aurify.workbench.returns import Returns
from aurify.workbench.subject import Check, Exam, Inner, Subject
from aurify.workbench.watching import moments, ways_to_draw
from aurify.workbench.wish import Wish
from aurify.worlds.chance import at_random
from aurify.worlds.checking import CHECKS, look
from aurify.worlds.episodes import Act, Episodes, play, seeds_of
from aurify.worlds.exact import expected_return, model_of, optimal_return
from aurify.worlds.field import episode_seed
from aurify.worlds.world import World

if TYPE_CHECKING:
    import polars as pl

RANDOM_EPISODES = 100
"""Whose mean a ledger takes for what acting at random returns."""

FEWEST_SEEDS = 2

MOST_TRIED = 2000
"""Observations that a graph is tried on."""


class EpisodeExam(Exam):
    """Agents before the test episodes of their world, which no choice was made by."""

    def __init__(self, bundle: Bundle, folder: RunFolder):
        self.bundle = bundle
        self.world, self.parts = World.open(folder.store), Parts.open(folder.parts)
        self.seeds = seeds_of(bundle.recipe.seed, "test", self.parts.test)
        self.played: dict[tuple[int | None, str], Episodes] = {}

    @property
    def part(self) -> str:
        """The world and what its episodes are begun with."""
        told = "\n".join([self.world.fingerprint, *map(str, self.seeds)])
        return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()

    def answer(self, check: Check) -> None:
        for agent, member in enumerate(self.bundle.members):
            for policy in (GREEDY, SAMPLED) if draws(self.bundle, member, self.world) else (GREEDY,):
                act = acting(self.bundle, member, self.world, policy, self.seeds)
                self.played[agent, policy] = self._play(act, check)
        self.played[None, RANDOM] = self._play(at_random(self.world, self.seeds), check)

    def _play(self, act: Act, check: Check) -> Episodes:
        return play(self.world, self.seeds, act, check)

    def summarise(self, seed: int, check: Check) -> dict[str, Any]:
        policies = {policy for agent, policy in self.played if agent is not None}
        agents = range(len(self.bundle.members))
        random = self.played[None, RANDOM]
        return Returns(
            value={p: np.stack([self.played[agent, p].value for agent in agents]) for p in policies},
            length={p: np.stack([self.played[agent, p].length for agent in agents]) for p in policies},
            random=random.value,
            random_length=random.length,
            best=self.best,
            **self._exact(),
        ).summary(seed)

    def _exact(self) -> dict[str, Any]:
        """What the greedy policies return on average, and the most there is to return, by the model of the world."""
        model = model_of(self.world)
        if model is None:
            return {}
        states = np.arange(len(model.start))
        answers = [answered(self.bundle, member, self.world, states) for member in self.bundle.members]
        exact = [expected_return(model, answer.argmax(1), self.world.limit) for answer in answers]
        return {"exact": np.array(exact), "optimal": optimal_return(model, self.world.limit)}

    @property
    def best(self) -> int:
        """The agent that is shipped."""
        return int(np.argmax([member.weight for member in self.bundle.members]))

    @cached_property
    def frame(self) -> pl.DataFrame:
        """A row for each episode: agent, policy, episode, seed, return, length, terminated."""
        import polars as pl

        begun = [episode_seed(seed, 0) for seed in self.seeds]
        return pl.concat(
            [
                pl.DataFrame(
                    {
                        "agent": pl.Series([agent] * len(begun), dtype=pl.Int64),
                        "policy": [policy] * len(begun),
                        "episode": self.parts.test,
                        "seed": begun,
                        "return": episodes.value,
                        "length": episodes.length,
                        "terminated": episodes.terminated,
                    }
                )
                for (agent, policy), episodes in self.played.items()
            ]
        )

    def write(self, folder: RunFolder) -> None:
        write_with(folder.episodes, lambda file: self.frame.write_parquet(file))

    def tested(self, summary: Mapping[str, Any], check: Check) -> Played:
        members = self.bundle.members

        def watch(agent: int, episode: int, render: str | None) -> Iterator[Any]:
            seed = self.seeds[episode]
            return moments(self.world, acting(self.bundle, members[agent], self.world, GREEDY, [seed]), seed, render)

        return Played(
            recipe=self.bundle.recipe,
            world=self.world,
            parts=self.parts,
            episodes=self.frame,
            best=self.best,
            summary=summary,
            answer=lambda agent, observations: answered(self.bundle, members[agent], self.world, observations),
            values=lambda agent, observations: valued(self.bundle, members[agent], self.world, observations),
            watch=watch,
            ways=ways_to_draw(self.world),
            check=check,
        )


class Worlds(Subject):
    """Environments to act in."""

    trial_agents = TRIAL_AGENTS

    def open(self, folder: RunFolder) -> World:
        return World.open(folder.store)

    def look(self, read: Any, recipe: Recipe, parts: Sequence[Any], notes: Sequence[str], check: Check) -> Findings:
        for word in recipe.source.accept:
            if word not in CHECKS:
                raise AurifyError(f"--accept {word}: no check of a world is called so; they are {listing(CHECKS)}")
        return Findings([*look(read.store, check), *map(noted, notes)])

    def look_alone(
        self, read: Any, task: Any, recipe: Recipe | None, check: Check, *, given: bool
    ) -> tuple[Findings, dict[str, Any]]:
        return Findings([*look(read.store, check), *map(noted, read.notes)]), {}

    def size(self, name: str, rows: int | None, steps: int | None, seeds: int | None, *, full: bool) -> Steps:
        if rows is not None:
            raise _about_rows("--rows", name)
        if seeds is not None and seeds < FEWEST_SEEDS:
            raise AurifyError(f"--seeds {seeds} is not allowed: at least {FEWEST_SEEDS}, for there is no spread of one")
        size = Steps(seeds=seeds)
        return replace(size, most=None) if full else size if steps is None else replace(size, most=steps)

    def cells(self, folder: RunFolder, opened: World, recipe: Recipe, size: Any, *, fresh: bool) -> Cells:
        return seeds_to_study(recipe, size, folder.ablation / "parts", fresh=fresh)

    def refuse_search(self, name: str, folds: int | None, *, nested: bool) -> None:
        for option, given in {"--inner": folds is not None, "--nested": nested}.items():
            if given:
                raise AurifyError(
                    f"{option} is about rows of data, and {name} is a world to act in: agents of other seeds, in other"
                    " episodes, measure a search there; leave it out"
                )

    def trial_cells(self, folder: RunFolder, opened: World, recipe: Recipe, stream: str, inner: Inner) -> Cells:
        task: Any = recipe.task
        return agents(recipe, max(task.agents, SEEDS) if inner.again else task.agents, stream, folder.search / "parts")

    def tuner(self, judge: str | None, cells: Cells, common: Mapping[str, Any]) -> Tuner:
        fresh = max(SEEDS, cells.rows("fit"))
        return AgentTuner(metric=metric_of(judge, OF_EACH), fresh=fresh, **common)

    def facts(self, folder: RunFolder, opened: World, recipe: Recipe, check: Check) -> dict[str, Any]:
        seeds = seeds_of(recipe.seed, "random", range(RANDOM_EPISODES))
        return {"random": float(play(opened, seeds, at_random(opened, seeds), check).value.mean())}

    def keep(self, read: Any, folder: RunFolder) -> None:
        read.store.write(folder.store)

    def exam(self, folder: RunFolder, bundle: Bundle, catalog: Catalog) -> EpisodeExam:
        return EpisodeExam(bundle, folder)

    def exam_on(self, data: Any, bundle: Bundle, folder: RunFolder | None) -> Exam:
        raise AurifyError(
            "agents are measured on episodes of their own world, not on data: leave the data out, or give it to"
            " aurify predict"
        )

    def tried(self, folder: RunFolder, bundle: Bundle) -> tuple[dict[str, Any], float | None]:
        world, parts = self.open(folder), Parts.open(folder.parts)
        member = max(bundle.members, key=lambda member: member.weight)
        seeds = seeds_of(bundle.recipe.seed, "validation", parts.held)
        act, seen, count = acting(bundle, member, world, GREEDY, seeds), list[np.ndarray](), 0

        def watched(observations: np.ndarray, which: np.ndarray) -> np.ndarray:
            nonlocal count
            if count >= MOST_TRIED:
                raise _EnoughError
            seen.append(observations.copy())
            count += len(observations)
            return act(observations, which)

        with suppress(_EnoughError):
            play(world, seeds, watched, lambda: None)
        values = world.values(np.concatenate(seen)[:MOST_TRIED])
        return {k: (v.taken() if isinstance(v, Pixels) else v).numpy() for k, v in values.items()}, None

    def refuse(self, wish: Wish) -> None:
        source, plain = Source.make(wish.source), Source()
        for name in Source.knobs():
            value = getattr(source, name)
            if name in ("path", "accept") or value == getattr(plain, name) or (name, value) == ("target", "action"):
                continue
            raise _about_rows(f"--{name}", str(wish.data))
        for name, value in wish.split.settings().items():
            if name in ("by", "folds") and value not in (None, "random"):
                raise _about_rows({"by": "--split", "folds": "--folds"}[name], str(wish.data))
        for option, setting in (("--blend", "blend.model"), ("--find-rate", "budget.find_rate")):
            if wish.says(setting):
                raise _about_rows(option, str(wish.data))


class _EnoughError(Exception):
    """As many observations as are needed."""


def _about_rows(option: str, name: str) -> AurifyError:
    return AurifyError(f"{option} is about rows of data, and {name} is a world to act in: leave it out")
