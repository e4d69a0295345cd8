"""The verb play: an agent of a run in new episodes of its world, told and recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aurify.core.errors import AurifyError
from aurify.core.watch import Watch
from aurify.ship.acting import GREEDY, SAMPLED, acting, draws
from aurify.ship.bundle import Bundle
from aurify.ship.pipeline import Member
from aurify.training import device as devices
from aurify.workbench.passed import Passed, catalog_with
from aurify.workbench.recording import Recording
from aurify.workbench.runs import FittedRun
from aurify.workbench.watching import drawn_by, frames_a_second, moments
from aurify.worlds.episodes import seeds_of
from aurify.worlds.field import episode_seed
from aurify.worlds.world import World

if TYPE_CHECKING:
    import polars as pl

PICTURES, TEXTS = ("rgb_array", "ansi"), ("ansi",)
"""How a world may draw itself for a GIF, and for a file of texts."""


@dataclass(frozen=True)
class Plays:
    """Episodes that an agent has played, each with ``episode``, ``seed``, ``return``, ``length`` and ``terminated``.

    ``pictures`` is how many the recording has, None where there is none.
    """

    world: str
    agent: int
    policy: str
    episodes: Sequence[dict[str, Any]]
    record: str | None
    pictures: int | None

    def to_frame(self) -> pl.DataFrame:
        """One row an episode."""
        import polars as pl

        return pl.DataFrame(list(self.episodes))


def play(
    run: str | Path,
    *,
    episodes: int = 1,
    agent: int | None = None,
    sampled: bool = False,
    record: str | Path | None = None,
    force: bool = False,
    seed: int = 0,
    parts: Sequence[str | Path] = (),
    network: Passed = None,
    device: str = "auto",
    told: Callable[[dict[str, Any]], None] = lambda episode: None,
) -> Plays:
    """Let an agent of a run, or of a model file, play new ``episodes`` in its world; each is ``told`` as it ends.

    It is the shipped agent, or the one numbered ``agent`` from 0; it takes the action that seems best or, ``sampled``,
    each as likely as it seems best. ``seed`` draws other episodes; none of them is one of the test. ``record`` is a GIF
    of what the world draws, or a ``.txt`` of what it writes. Raises AurifyError for what can be mended.
    """
    if episodes < 1:
        raise AurifyError(f"--episodes {episodes}: play 1 or more")
    target = None if record is None else _free(Path(record), force=force)
    bundle = _bundle(Path(run), parts, network, device)
    world: World = bundle.recipe.task.read(bundle.recipe.source, bundle.recipe.source.path).store
    number, member = _agent(bundle, agent)
    if sampled and not draws(bundle, member, world):
        raise AurifyError(f"{run} has no policy to draw actions from, only the best one: leave out --sampled")
    render = None if target is None else drawn_by(world, TEXTS if target.suffix == ".txt" else PICTURES)
    film = None if target is None else Recording(target, frames_a_second(world))
    policy, played = SAMPLED if sampled else GREEDY, list[dict[str, Any]]()
    with Watch() as watch:
        for at, begun in enumerate(seeds_of(bundle.recipe.seed, f"play/{seed}", range(episodes))):
            found = {"episode": at, "seed": episode_seed(begun, 0), "return": 0.0, "length": -1, "terminated": False}
            for moment in moments(world, acting(bundle, member, world, policy, [begun]), begun, render):
                watch.check()
                if film is not None:
                    film.add(moment.picture, last=moment.ended)
                found["return"] += moment.reward
                found["length"] += 1
                found["terminated"] = moment.terminated
            played.append(found)
            told(found)
        pictures = None if film is None else film.write()
    return Plays(world.source, number, policy, played, None if target is None else str(target), pictures)


def _bundle(path: Path, parts: Sequence[str | Path], network: Passed, device: str) -> Bundle:
    """The model of what acts; raises AurifyError for one that predicts."""
    catalog, _ = catalog_with(parts, network)
    if path.is_dir():
        bundle = FittedRun(path, catalog, device).bundle
    else:
        bundle = Bundle.load(path, catalog, devices.choose(device))
    if bundle.recipe.task.examples != "episodes":
        raise AurifyError(f"{path} predicts rows and plays nothing: take aurify predict {path}")
    return bundle


def _agent(bundle: Bundle, number: int | None) -> tuple[int, Member]:
    """The agent of a number, or the one that is shipped."""
    members = bundle.members
    if number is None:
        number = max(range(len(members)), key=lambda at: members[at].weight)
    if not 0 <= number < len(members):
        known = "there is agent 0 only" if len(members) == 1 else f"agents are numbered from 0 to {len(members) - 1}"
        raise AurifyError(f"--agent {number}: {known}")
    return number, members[number]


def _free(path: Path, *, force: bool) -> Path:
    if path.suffix not in (".gif", ".txt"):
        raise AurifyError(f"--record {path}: what is recorded is a .gif of pictures or a .txt of texts")
    if path.exists() and not force:
        raise AurifyError(f"{path} exists already; replace it with --force")
    return path
