"""How good a method is, by the scores of several agents that it trained: one seed proves nothing.

The definitions are rliable's (Agarwal et al. 2021). Scores are (N, T), of N agents that differ by their seeds in each
of T worlds, or (N,) in one world. Intervals are percentile bootstrap over agents, stratified: those of each world are
drawn again by themselves. Of ten agents with normal scores 90 to 93 % of such intervals hold the truth, of five 85 to
95 %.
"""

# N agents, M others, T worlds, D draws, G thresholds

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from aurify.measure.bands import ends

DRAWS = 2000

NUMBERS_AT_ONCE = 2_000_000
"""Drawn scores, or pairs of them, that are held at a time."""


@dataclass(frozen=True)
class Estimate:
    """A value with the ends of its 95 % interval, which are NaN where there is one agent alone."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Profile:
    """The share (G,) of agents whose score is above each threshold (G,), and the ends of its pointwise 95 % band."""

    thresholds: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray


def iqm(scores: np.ndarray) -> np.ndarray:
    """The interquartile mean (...) of scores (..., N, T), those of all worlds together.

    A quarter of the lowest and of the highest are left out, whole scores only: it heeds luck as little as the median
    and needs fewer agents for that.
    """
    every = np.sort(scores.reshape(*scores.shape[:-2], -1), axis=-1)
    cut = every.shape[-1] // 4
    return every[..., cut : every.shape[-1] - cut].mean(-1)


def mean(scores: np.ndarray) -> np.ndarray:
    """The mean (...) of scores (..., N, T)."""
    return scores.mean((-2, -1))


def median(scores: np.ndarray) -> np.ndarray:
    """The median (...) over worlds of each one's mean over agents (..., N, T); in one world the median over agents.

    There rliable's would be the mean once more.
    """
    return np.median(scores[..., 0], axis=-1) if scores.shape[-1] == 1 else np.median(scores.mean(-2), axis=-1)


AGGREGATES: dict[str, Callable[[np.ndarray], np.ndarray]] = {"iqm": iqm, "mean": mean, "median": median}


def aggregates(scores: np.ndarray, *, draws: int = DRAWS, seed: int = 0) -> dict[str, Estimate]:
    """Interquartile mean, mean and median of scores, by name."""
    found = _bootstrapped(
        lambda drawn: np.stack([summarise(drawn) for summarise in AGGREGATES.values()], axis=-1), [scores], draws, seed
    )
    return {name: Estimate(*map(float, row)) for name, row in zip(AGGREGATES, np.stack(found, axis=-1), strict=True)}


def over_episodes(returns: np.ndarray, *, draws: int = DRAWS, seed: int = 0) -> dict[str, Estimate]:
    """Interquartile mean, mean and median of agents by what they return (S, N) in episodes that all of them played.

    Agents and episodes are drawn again, each by themselves (the pigeonhole bootstrap of Owen 2007): agents that meet
    the same episodes share their luck, and drawing agents alone would not see it. Where each agent has luck of its own
    in an episode such intervals are rather too wide.
    """
    agents, episodes = returns.shape
    luck, choice = np.random.default_rng(seed).spawn(2)  # each its own, so that chunks change nothing
    drawn, at_once = [returns.mean(1)[None]], max(1, NUMBERS_AT_ONCE // max(agents, episodes))
    for start in range(0, draws, at_once):
        count = min(at_once, draws - start)
        times = luck.multinomial(episodes, np.full(episodes, 1 / episodes), count)
        which = choice.integers(0, agents, (count, agents))
        drawn.append(np.take_along_axis(times @ returns.T / episodes, which, axis=1))
    means = np.concatenate(drawn)[..., None]
    values = np.stack([summarise(means) for summarise in AGGREGATES.values()], axis=-1)
    found = (values[0], *ends(values, max(returns.shape)))
    return {name: Estimate(*map(float, row)) for name, row in zip(AGGREGATES, np.stack(found, axis=-1), strict=True)}


def probability_of_improvement(ours: np.ndarray, theirs: np.ndarray, *, draws: int = DRAWS, seed: int = 0) -> Estimate:
    """How likely one of our agents beats one of theirs in a world drawn at random; equals count half.

    The statistic of Mann & Whitney (1947). Their agents (M, T) need not be as many as ours (N, T).
    """
    return Estimate(*map(float, _bootstrapped(_won, [ours, theirs], draws, seed)))


def profile(scores: np.ndarray, thresholds: np.ndarray, *, draws: int = DRAWS, seed: int = 0) -> Profile:
    """The performance profile of scores: how many are above each threshold (G,)."""

    def above(drawn: np.ndarray) -> np.ndarray:
        every = np.sort(drawn.reshape(len(drawn), -1), axis=-1)
        return np.stack([1 - np.searchsorted(row, thresholds, "right") / len(row) for row in every])

    return Profile(thresholds, *_bootstrapped(above, [scores], draws, seed))


def _won(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """The share (D,) of pairs of drawn scores (D, N, T) and (D, M, T) of one world in which ours is greater."""
    apart = ours[:, :, None] - theirs[:, None]
    return ((np.sign(apart) + 1) / 2).mean((1, 2, 3))


def _bootstrapped(
    summarise: Callable[..., np.ndarray], groups: list[np.ndarray], draws: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What ``summarise`` makes (1, ...) of groups (1, N, T), with the ends of its 95 % interval."""
    scores = [group.reshape(len(group), -1).astype(np.float64) for group in groups]
    values = [summarise(*(group[None] for group in scores))]
    values += [summarise(*drawn) for drawn in _drawn(scores, draws, seed)]
    every = np.concatenate(values)
    return every[0], *ends(every, min(map(len, scores)))


def _drawn(groups: list[np.ndarray], draws: int, seed: int) -> Iterator[list[np.ndarray]]:
    """Every group drawn again (D, N, T), in chunks that make ``draws`` together."""
    random = np.random.default_rng(seed)
    at_once = max(1, NUMBERS_AT_ONCE // (int(np.prod([len(group) for group in groups])) * groups[0].shape[1]))
    for start in range(0, draws, at_once):
        count = min(at_once, draws - start)
        again = [random.integers(0, len(group), (count, *group.shape)) for group in groups]
        yield [np.take_along_axis(group[None], rows, axis=1) for group, rows in zip(groups, again, strict=True)]
