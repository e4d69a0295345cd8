"""When a score was first reached, and from when on it was kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Moments:
    """Seconds until a model as good as wanted lay there, None where none came: ``first``, and ``kept`` ever after."""

    first: float | None
    kept: float | None


def moments(seconds: Sequence[float], scores: Sequence[float], wanted: float) -> Moments:
    """Of models in the order in which each took the place of the one before; higher scores are better."""
    reached = [score >= wanted for score in scores]
    first = next((at for at, is_good in zip(seconds, reached, strict=True) if is_good), None)
    kept = None
    for at, is_good in zip(reversed(seconds), reversed(reached), strict=True):
        if not is_good:
            break
        kept = at
    return Moments(first, kept)
