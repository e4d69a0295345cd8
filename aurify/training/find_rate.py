"""Find a learning rate by raising it from far too small to far too large (Smith 2017)."""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING

from aurify.core.errors import DivergedError

if TYPE_CHECKING:
    from aurify.training.fit import Loop

RANGE_STEPS = 120
LEAST, MOST = 1e-7, 10.0
SMOOTHING = 0.9
TIME_SHARE = 0.2
LEAST_FALL = 0.5
"""In deviations of one batch's loss; the smoothed loss has a quarter of that."""


def find_rate(loop: Loop) -> float | None:
    """Train a throw-away run while its rate rises from 1e-7 to 10; returns a rate to train with, None if none shows.

    Raises Interrupted after a signal. Takes at most a fifth of the time that is left.
    """
    low, high = loop.run.recipe.optimizer.knobs()["learning_rate"].bounds or (LEAST, MOST)
    low, high = max(low, LEAST), min(high, MOST)
    rates = [low * (high / low) ** (at / (RANGE_STEPS - 1)) for at in range(RANGE_STEPS)]
    return choose(rates, _losses(loop, rates))


def _losses(loop: Loop, rates: list[float]) -> list[float]:
    """The loss before each step, up to the rate where it explodes; [] when there is no time for it."""
    loop.schedules.clear()  # the rate is the test's alone
    loop.run.model.train()
    until = loop.watch.spent + TIME_SHARE * loop.watch.remaining
    losses: list[float] = []
    for rate in rates:
        loop.watch.check()
        if loop.watch.spent > until:
            return []
        loop.base_rate = rate
        try:
            losses.append(loop.advance().item())
        except DivergedError:
            break
        if not math.isfinite(losses[-1]) or exploded(losses):
            break
    return [loss for loss in losses if math.isfinite(loss)]


def exploded(losses: list[float]) -> bool:
    """Say whether the loss has risen from its lowest by as much as it was in the beginning."""
    curve = smoothed(losses)
    return curve[-1] > min(curve) + abs(curve[0])


def smoothed(losses: list[float]) -> list[float]:
    """A running mean that forgets, corrected for its beginning."""
    mean, curve = 0.0, []
    for at, loss in enumerate(losses, 1):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        curve.append(mean / (1 - SMOOTHING**at))
    return curve


def choose(rates: list[float], losses: list[float]) -> float | None:
    """A tenth of the rate at which the smoothed loss is lowest: past it training fails, at it it is already unsteady.

    None where the loss never falls clearly below the noise of its beginning, whose rates are too small to learn.
    """
    still = losses[: RANGE_STEPS // 5]
    if len(losses) <= len(still):
        return None
    curve = smoothed(losses)
    lowest = min(range(len(curve)), key=curve.__getitem__)
    fall = statistics.fmean(still) - curve[lowest]
    if lowest < len(still) or fall <= LEAST_FALL * statistics.pstdev(still):
        return None
    return max(rates[0], rates[lowest] / 10)
