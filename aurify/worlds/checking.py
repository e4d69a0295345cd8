"""What would spoil learning in an environment, found by acting at random in it."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from aurify.core.errors import AurifyError
from aurify.core.words import said
from aurify.data.findings import SEVERE, WARNING, Finding, Findings
from aurify.worlds.episodes import ENDLESS
from aurify.worlds.field import episode_seed
from aurify.worlds.naming import LIMIT, failed
from aurify.worlds.world import World

CHECKS = ("env_checker", "same_seed", "observations", "rewards", "time_limit")
"""What ``--accept`` may name."""

STEPS = 300
"""Of the random agent, twice."""

SEED = 0

PROMISED = said("mend the environment: it does not do what its spaces and its seed promise")

HARMLESS = re.compile(r"Box observation space (minimum|maximum) value is|different from the unwrapped version")
"""What many environments of Gymnasium's own are warned of: wide bounds, and the wrappers that we ask for."""


@dataclass(frozen=True, eq=False)
class Seen:
    """One moment of an episode: what the environment showed, and of a step its reward and whether it was the last."""

    observation: np.ndarray
    reward: Any = 0.0
    terminated: bool = False
    truncated: bool = False


def look(world: World, check: Callable[[], None]) -> Findings:
    """Act at random twice, with the same seed, and let Gymnasium look too; ``check`` is called now and then.

    Raises AurifyError where the environment raises an error of its own.
    """
    seen, again = _acted(world, check), _acted(world, check)
    return Findings([*_told(world), *_different(seen, again), *_odd(world, seen), *_endless(world)])


def _acted(world: World, check: Callable[[], None]) -> list[Seen]:
    env, seen, episode = world.make(), [], 0
    env.action_space.seed(SEED)

    def begin() -> None:
        observation, _ = env.reset(seed=episode_seed(SEED, episode))
        seen.append(Seen(np.array(observation)))

    try:
        begin()
        for at in range(STEPS):
            if at % 16 == 0:
                check()
            observation, reward, terminated, truncated, _ = env.step(env.action_space.sample())
            seen.append(Seen(np.array(observation), reward, bool(terminated), bool(truncated)))
            if terminated or truncated:
                episode += 1
                begin()
    except AurifyError:
        raise
    except Exception as error:
        raise failed(world.source, "fails in a step", error) from error
    finally:
        env.close()
    return seen


def _told(world: World) -> Iterator[Finding]:
    """What Gymnasium's own checker says: what it refuses is severe."""
    from gymnasium.utils.env_checker import check_env
    from gymnasium.wrappers import TimeLimit

    env = world.make()
    inner = env.env if isinstance(env, TimeLimit) else env  # it means the wrapper that ``make`` put on last
    refused = ""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            check_env(inner, skip_render_check=True, skip_close_check=True)
        except Exception as error:  # it raises whatever comes to hand
            refused = " ".join(str(error).split()) or type(error).__name__
    env.close()
    if refused:
        text = said("Gymnasium refuses the environment: {what}", what=refused)
        yield Finding(check="env_checker", severity=SEVERE, text=text, fix=PROMISED)
    for text in dict.fromkeys(_plain(str(warning.message)) for warning in heard):
        if not HARMLESS.search(text):
            what = said("Gymnasium warns of the environment: {what}", what=text)
            yield Finding(check="env_checker", severity=WARNING, text=what)


def _plain(text: str) -> str:
    """A warning of Gymnasium's without colours."""
    return " ".join(re.sub(r"\x1b\[[\d;]*m", "", text).split()).removeprefix("WARN: ")


def _different(seen: list[Seen], again: list[Seen]) -> Iterator[Finding]:
    for step, (one, other) in enumerate(zip(seen, again, strict=False)):
        what = next(
            (name for name in ("observation", "reward", "terminated", "truncated") if _differ(one, other, name)), ""
        )
        if what:
            yield Finding(
                check="same_seed",
                severity=SEVERE,
                text=said(
                    "the same seed and the same actions do not lead to the same: {what} differs at step {step}",
                    what=what,
                    step=step,
                ),
                fix=said("draw every random number from self.np_random, which reset(seed=...) makes anew"),
                evidence={"step": step, "what": what},
            )
            return


def _differ(one: Seen, other: Seen, name: str) -> bool:
    first, second = np.asarray(getattr(one, name)), np.asarray(getattr(other, name))
    return first.shape != second.shape or not np.array_equal(first, second, equal_nan=first.dtype.kind == "f")


def _odd(world: World, seen: list[Seen]) -> Iterator[Finding]:
    """Observations and rewards that are not what they should be."""
    env = world.make()
    space = env.observation_space
    env.close()
    infinite = [moment for moment in seen if not _finite(moment.observation)]
    outside = [m for m in seen if _finite(m.observation) and not _inside(space, m.observation)]
    unpaid = [moment for moment in seen if not _is_reward(moment.reward)]
    if infinite:
        text = said("{share:.0%} of the observations hold NaN or an infinity", share=len(infinite) / len(seen))
        yield Finding(check="observations", severity=SEVERE, text=text, fix=PROMISED, count=len(infinite))
    if outside:
        text = said(
            "{share:.0%} of the observations lie outside of the declared space {space}, such as {example}",
            share=len(outside) / len(seen),
            space=_brief(space),
            example=_brief(outside[0].observation),
        )
        yield Finding(check="observations", severity=SEVERE, text=text, fix=PROMISED, count=len(outside))
    if unpaid:
        text = said(
            "{share:.0%} of the rewards are no finite numbers, such as {example}",
            share=len(unpaid) / STEPS,
            example=_brief(unpaid[0].reward),
        )
        yield Finding(check="rewards", severity=SEVERE, text=text, fix=PROMISED, count=len(unpaid))


def _finite(observation: np.ndarray) -> bool:
    return observation.dtype.kind != "f" or bool(np.isfinite(observation).all())


def _inside(space: Any, observation: np.ndarray) -> bool:
    # of one number that is the number itself: a discrete space takes no array
    with warnings.catch_warnings(action="ignore"):
        return bool(space.contains(observation[()]))


def _is_reward(reward: Any) -> bool:
    values = np.asarray(reward)
    return values.shape == () and values.dtype.kind in "biuf" and bool(np.isfinite(values))


def _endless(world: World) -> Iterator[Finding]:
    if world.limit is None:
        yield Finding(
            check="time_limit",
            severity=WARNING,
            text=said(
                "nothing cuts an episode off: an agent that walks in circles is left after {steps:,} steps",
                steps=ENDLESS,
            ),
            fix=said(
                "cut episodes off with {words}, or as many steps as suit it",
                words=f"--set 'task.options=[{LIMIT}=500]'",
            ),
        )


def _brief(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."
